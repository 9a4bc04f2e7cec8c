// Before anything is drawn: the scheme the reader chose last, if any. Without a choice the system's holds.
(function () {
  'use strict';
  let chosen = null;
  try { chosen = localStorage.getItem('edgebench-theme'); } catch { /* storage is closed to this page */ }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
