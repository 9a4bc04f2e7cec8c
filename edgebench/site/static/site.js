// What every page needs: the switch of the scheme, sorting, filters, legends, and the pages of the table of episodes.
(function () {
  'use strict';

  function themes() {
    const root = document.documentElement, button = document.getElementById('theme');
    if (!button) return;
    const isDark = () => root.dataset.theme
      ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    button.addEventListener('click', function () {
      root.dataset.theme = isDark() ? 'light' : 'dark';
      try { localStorage.setItem('edgebench-theme', root.dataset.theme); } catch { /* not remembered */ }
      document.dispatchEvent(new Event('themechange'));
    });
  }

  const keyOf = (row, column, kind) => {
    const cell = row.cells[column], text = cell.dataset.value ?? cell.textContent.trim();
    if (kind === 'text') return text.toLowerCase();
    return text === '' || Number.isNaN(Number(text)) ? null : Number(text);
  };

  function sortBy(table, heading, kind, direction) {
    const column = heading.cellIndex, body = table.tBodies[0], turn = direction === 'ascending' ? 1 : -1;
    const keyed = Array.from(body.rows, (row, place) => ({ row, place, key: keyOf(row, column, kind) }));
    keyed.sort((one, other) => {
      if (one.key === null || other.key === null) return (one.key === null) - (other.key === null) || one.place - other.place;
      if (one.key === other.key) return one.place - other.place;
      return (one.key < other.key ? -1 : 1) * turn;
    });
    body.append(...keyed.map((entry) => entry.row));
    for (const other of heading.parentElement.cells) if (other.hasAttribute('aria-sort')) other.setAttribute('aria-sort', 'none');
    heading.setAttribute('aria-sort', direction);
    table.classList.toggle('unranked', !(column === 0 && direction === 'ascending'));
  }

  function sorting(table) {
    for (const button of table.querySelectorAll('thead button[data-sort]')) {
      button.addEventListener('click', function () {
        const heading = button.closest('th'), kind = button.dataset.sort;
        const usual = kind === 'number' && heading.cellIndex > 0 ? 'descending' : 'ascending';
        const turned = usual === 'ascending' ? 'descending' : 'ascending';
        sortBy(table, heading, kind, heading.getAttribute('aria-sort') === usual ? turned : usual);
      });
    }
  }

  function filtering(form) {
    const table = document.getElementById(form.dataset.table), shown = form.querySelector('[data-shown]');
    const apply = function () {
      const text = form.elements.text.value.trim().toLowerCase();
      const kind = form.elements.kind.value, status = form.elements.status.value;
      let count = 0;
      for (const row of table.tBodies[0].rows) {
        const { dataset } = row;
        row.hidden = !(dataset.text.toLowerCase().includes(text) && (!kind || dataset.kind === kind)
          && (!status || dataset.status === status));
        count += !row.hidden;
      }
      shown.textContent = count;
      table.classList.toggle('filtered', count < table.tBodies[0].rows.length);
    };
    form.addEventListener('input', apply);
    form.addEventListener('submit', (event) => event.preventDefault());
    apply();
  }

  function legends(figure) {
    const lines = figure.querySelectorAll('polyline.line'), buttons = figure.querySelectorAll('button[data-line]');
    const mark = function () {
      const pressed = Array.from(buttons).filter((button) => button.getAttribute('aria-pressed') === 'true');
      figure.classList.toggle('marking', pressed.length > 0);
      for (const line of lines) line.classList.remove('marked');
      for (const button of pressed) lines[button.dataset.line].classList.add('marked');
    };
    for (const button of buttons) {
      button.addEventListener('click', function () {
        button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
        mark();
      });
      button.addEventListener('pointerenter', () => lines[button.dataset.line].classList.add('near'));
      button.addEventListener('pointerleave', () => lines[button.dataset.line].classList.remove('near'));
    }
  }

  const PAGE = 20;

  function cell(tag, text, isNumber) {
    const element = document.createElement(tag);
    element.textContent = text;
    if (isNumber) element.className = 'number';
    return element;
  }

  function episodes(section) {
    const tables = JSON.parse(section.querySelector('script[type="application/json"]').textContent);
    const form = section.querySelector('form'), told = form.querySelector('output');
    const table = section.querySelector('table');
    let page = 0;
    const draw = function () {
      const { columns, meanings, rows } = tables[form.elements.showing.value];
      const at = (name) => columns.indexOf(name);
      const wanted = rows.filter((row) => (!form.elements.region.value || row[at('region')] === form.elements.region.value)
        && (!form.elements.status.value || row[at('status')] === form.elements.status.value));
      const pages = Math.max(1, Math.ceil(wanted.length / PAGE));
      page = Math.min(Math.max(page, 0), pages - 1);
      const head = document.createElement('tr'), isNumber = (name) => !['region', 'status', 'detail'].includes(name);
      columns.forEach((name, place) => {
        const heading = cell('th', name, isNumber(name));
        heading.scope = 'col';
        if (meanings[place]) heading.title = meanings[place];
        head.append(heading);
      });
      table.tHead.replaceChildren(head);
      table.tBodies[0].replaceChildren(...wanted.slice(page * PAGE, (page + 1) * PAGE).map((row) => {
        const line = document.createElement('tr');
        row.forEach((value, place) => line.append(cell('td', value === null ? '–' : value, isNumber(columns[place]))));
        return line;
      }));
      told.textContent = wanted.length
        ? `${page * PAGE + 1}–${Math.min((page + 1) * PAGE, wanted.length)} of ${wanted.length}` : 'none';
      form.elements.back.disabled = page === 0;
      form.elements.next.disabled = page === pages - 1;
    };
    form.addEventListener('change', function () { page = 0; draw(); });
    form.addEventListener('submit', (event) => event.preventDefault());
    form.elements.back.addEventListener('click', function () { page -= 1; draw(); });
    form.elements.next.addEventListener('click', function () { page += 1; draw(); });
    draw();
  }

  themes();
  document.querySelectorAll('table.sortable').forEach(sorting);
  document.querySelectorAll('form[data-table]').forEach(filtering);
  document.querySelectorAll('figure.plot').forEach(legends);
  document.querySelectorAll('section.episodes').forEach(episodes);
})();
