/* « Tout cocher » la page, et dire combien de lignes le sont. Sans ce script, les cases et le bouton suffisent. */
(function () {
  "use strict";

  var toutes = document.querySelector("[data-tout-cocher]");
  var combien = document.querySelector("[data-combien]");

  function cases() { return Array.from(document.querySelectorAll('input[form="selection"][name="action"]')); }

  function compter() {
    var lignes = cases();
    var cochees = lignes.filter(function (ligne) { return ligne.checked; }).length;
    toutes.checked = cochees > 0 && cochees === lignes.length;
    toutes.indeterminate = cochees > 0 && cochees < lignes.length;
    combien.textContent = cochees ? " (" + cochees + ")" : "";
  }

  if (!toutes || !cases().length) { return; }
  toutes.parentNode.hidden = false;
  toutes.addEventListener("change", function () {
    cases().forEach(function (ligne) { ligne.checked = toutes.checked; });
    compter();
  });
  document.addEventListener("change", function (evenement) {
    if (evenement.target.matches('input[form="selection"]')) { compter(); }
  });
  // Revenir en arrière remet les cases comme on les avait laissées.
  window.addEventListener("pageshow", compter);
}());
