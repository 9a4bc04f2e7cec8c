# Official verification: EdgeBench with its regions baked in, nothing of the host but the agent's folder.
#
#   docker build -f containers/verify.Dockerfile -t edgebench-verify .
#   containers/verify.sh FOLDER_OF_THE_AGENT OUT eval /agent/agent.py --regions s1 --out /out/run
#   containers/verify.sh FOLDER_OF_THE_SUBMISSION OUT verify /agent --all
#
FROM python:3.11-slim

WORKDIR /opt/edgebench
COPY . .
# [agents] for what was trained; PyTorch's own index has it without the libraries of a GPU, which no agent reaches.
RUN pip install --no-cache-dir -c constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu ".[agents]" \
    && useradd --uid 10001 --create-home referee
ENV EDGEBENCH_HOME=/opt/edgebench
RUN edgebench build --all
USER referee
ENTRYPOINT ["edgebench"]
