// Two agents of a board beside each other, from figures that were computed when the page was made.
(function () {
  'use strict';
  const source = document.getElementById('pairs');
  if (!source) return;
  const board = JSON.parse(source.textContent), form = document.getElementById('choice');
  const names = board.agents.map((agent) => agent.name);
  const EQUAL = 5e-5; // scores in the page have four decimals

  const fixed = (value) => value.toFixed(3).replace('-', '−');
  const signed = (value) => (value > 0 ? '+' : '') + fixed(value);
  const turned = ([value, low, high]) => [-value, -high, -low];

  function pairOf(a, b) {
    const found = board.pairs[`${Math.min(a, b)},${Math.max(a, b)}`];
    if (a < b) return found;
    return {
      total: turned(found.total), regions: found.regions.map(turned),
      counts: found.counts.map(([won, tied, lost]) => [lost, tied, won]),
      improvement: found.improvement.map((chance) => 1 - chance),
    };
  }

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function bar([value, low, high], reach) {
    const share = (score) => `${(50 + 50 * score / reach).toFixed(2)}%`;
    const made = element('span', 'whisker around'), line = element('i'), dot = element('b');
    made.style.setProperty('--z', '50%');
    line.style.left = share(low);
    line.style.right = `${(50 - 50 * high / reach).toFixed(2)}%`;
    dot.style.left = share(value);
    made.append(line, dot);
    return made;
  }

  function line(label, estimate, counts, reach, isTotal) {
    const row = element('tr', isTotal ? 'total' : ''), all = counts[0] + counts[1] + counts[2];
    const head = element('th', '', label);
    head.scope = 'row';
    const span = element('td', 'span');
    span.append(bar(estimate, reach), element('span', 'number', `${fixed(estimate[1])} – ${fixed(estimate[2])}`));
    const shares = element('span', 'shares');
    ['a', 'tie', 'b'].forEach(function (kind, place) {
      const part = element('i', kind);
      part.style.width = `${(100 * counts[place] / all).toFixed(2)}%`;
      shares.append(part);
    });
    const last = element('td');
    last.append(shares);
    row.append(head, element('td', 'number strong', signed(estimate[0])), span,
      ...counts.map((count) => element('td', 'number', count)), last);
    return row;
  }

  function verdict(a, b, [value, low, high], counts) {
    const told = low > 0 ? `${names[a]} is ahead of ${names[b]}` : high < 0 ? `${names[b]} is ahead of ${names[a]}`
      : `${names[a]} and ${names[b]} cannot be told apart`;
    return `${told}: ${signed(value)} (${fixed(low)} – ${fixed(high)}). `
      + `${names[a]} wins ${counts[0]} episodes, ${names[b]} ${counts[2]}, ${counts[1]} are equal.`;
  }

  function improvement(a, b, [value, ...ends]) {
    const [low, high] = ends.sort((one, other) => one - other).map(fixed);
    return `Probability of improvement: an episode of ${names[a]} is better than one of ${names[b]} `
      + `with ${fixed(value)} (${low} – ${high}), a tie counting half.`;
  }

  function squares(a, b) {
    const one = board.agents[a].scores, other = board.agents[b].scores;
    const most = Math.max(1e-9, ...one.map((score, place) => Math.abs(score - other[place])));
    return board.regions.map(function (region, number) {
      const group = element('div', 'strip'), field = element('div', 'field');
      board.episodes.forEach(function ([at, window_, seed], place) {
        if (at !== number) return;
        const apart = one[place] - other[place], square = element('span');
        square.className = apart > EQUAL ? 'a' : apart < -EQUAL ? 'b' : '';
        square.style.setProperty('--strong', (0.25 + 0.75 * Math.abs(apart) / most).toFixed(3));
        square.title = `${region}, window ${window_}, seed ${seed}: A ${fixed(one[place])}, B ${fixed(other[place])}`;
        field.append(square);
      });
      group.append(element('strong', '', region), field);
      return group;
    });
  }

  function draw() {
    const a = names.indexOf(form.elements.a.value), b = names.indexOf(form.elements.b.value);
    const body = document.querySelector('#differences tbody'), told = document.getElementById('verdict');
    const chance = document.getElementById('improvement');
    history.replaceState(null, '', `#a=${encodeURIComponent(names[a])}&b=${encodeURIComponent(names[b])}`);
    if (a === b) {
      told.textContent = 'A and B are the same agent: choose two.';
      chance.textContent = '';
      body.replaceChildren();
      document.getElementById('squares').replaceChildren();
      return;
    }
    const { total, regions, counts, improvement: found } = pairOf(a, b);
    const summed = [0, 1, 2].map((kind) => counts.reduce((sum, count) => sum + count[kind], 0));
    const reach = 1.05 * Math.max(1e-9, ...[total, ...regions].flatMap(([, low, high]) => [Math.abs(low), Math.abs(high)]));
    told.textContent = verdict(a, b, total, summed);
    chance.textContent = improvement(a, b, found);
    body.replaceChildren(line('all regions', total, summed, reach, true),
      ...board.regions.map((region, place) => line(region, regions[place], counts[place], reach, false)));
    document.getElementById('squares').replaceChildren(...squares(a, b));
  }

  function choose() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    for (const side of ['a', 'b']) if (names.includes(wanted.get(side))) form.elements[side].value = wanted.get(side);
    if (form.elements.a.value === form.elements.b.value) {
      form.elements.b.value = names[board.ranked.find((place) => names[place] !== form.elements.a.value)];
    }
  }

  form.addEventListener('change', draw);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.elements.swap.addEventListener('click', function () {
    [form.elements.a.value, form.elements.b.value] = [form.elements.b.value, form.elements.a.value];
    draw();
  });
  choose();
  draw();
})();
