# EdgeBench as a command for its users: the core, run by a user without rights, data and machine code in the volume /data.
#
#   docker build -t edgebench .
#   docker run --rm -v edgebench-data:/data edgebench build --region s1
#   docker run --rm -v edgebench-data:/data -v "$PWD:/work:ro" edgebench eval my_agent.py --regions s1
#
# docs/packaging.md has more. Agents of strangers: containers/verify.Dockerfile.
FROM python:3.13-slim AS installed
COPY . /source
RUN python -m venv /opt/edgebench && /opt/edgebench/bin/pip install --no-cache-dir -c /source/constraints.txt /source

FROM python:3.13-slim
COPY --from=installed /opt/edgebench /opt/edgebench
RUN useradd --uid 10001 --create-home edgebench && install -d -o edgebench -g edgebench /data /work
ENV PATH=/opt/edgebench/bin:$PATH EDGEBENCH_HOME=/data XDG_CACHE_HOME=/data/cache
USER edgebench
VOLUME /data
WORKDIR /work
ENTRYPOINT ["edgebench"]
CMD ["--help"]
