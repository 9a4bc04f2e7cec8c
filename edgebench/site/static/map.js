// The map of a region: drawn by plotly from the figure that stands in the page, in the reader's scheme.
(function () {
  'use strict';
  const place = document.getElementById('map');
  const figure = JSON.parse(document.getElementById('map-data').textContent);
  const narrow = matchMedia('(max-width: 640px)');

  function colours() {
    const style = getComputedStyle(place);
    const ink = style.color, grid = style.getPropertyValue('border-top-color'), paper = style.backgroundColor;
    return {
      'font.color': ink, 'xaxis.gridcolor': grid, 'yaxis.gridcolor': grid,
      'hoverlabel.bgcolor': paper, 'hoverlabel.font.color': ink, 'hoverlabel.bordercolor': grid,
    };
  }

  const layout = { ...figure.layout, autosize: true };
  if (narrow.matches) {
    layout.margin = { l: 8, r: 8, t: 8, b: 8 };
    layout.xaxis = { ...layout.xaxis, showticklabels: false };
    layout.yaxis = { ...layout.yaxis, showticklabels: false };
    layout.legend = { ...layout.legend, y: -0.02, yanchor: 'top', font: { size: 10 } };
  }
  Plotly.newPlot(place, figure.data, layout, { displaylogo: false, scrollZoom: true, responsive: true })
    .then(function () { return Plotly.relayout(place, colours()); })
    .then(function () { place.dataset.drawn = 'true'; });
  const dress = function () { Plotly.relayout(place, colours()); };
  document.addEventListener('themechange', dress);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', dress);
})();
