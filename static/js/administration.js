/* Donne un nom à ce que l'administration de Django laisse muet pour un lecteur d'écran : les cases des tableaux
 * de lignes liées, leurs en-têtes vides, les listes à recherche (select2). Rien de visible ne change.
 */
(function () {
  "use strict";

  function nomDe(champ) {
    var libelle = champ.labels && champ.labels[0];
    return libelle ? libelle.textContent.trim().replace(/\s*:$/, "") : champ.getAttribute("aria-label") || "";
  }

  /* Dans un tableau, une case porte le nom de sa colonne. */
  function nommerLesCases(racine) {
    racine.querySelectorAll(".tabular td").forEach(function (td) {
      var entete = td.closest("table").tHead.rows[0].cells[td.cellIndex];
      td.querySelectorAll("input:not([type=hidden]), select, textarea").forEach(function (champ) {
        if (entete && !nomDe(champ)) { champ.setAttribute("aria-label", entete.textContent.trim()); }
      });
    });
  }

  function nommerLesEntetesVides() {
    document.querySelectorAll(".tabular thead th").forEach(function (th) {
      if (th.textContent.trim()) { return; }
      var nom = document.createElement("span");
      nom.className = "visually-hidden";
      nom.textContent = th.classList.contains("original") ? "Ligne" : "Suppression";
      th.appendChild(nom);
    });
  }

  /* select2 cache la liste, et son libellé avec : la boîte qui la remplace le reprend, suivi de la valeur choisie. */
  function nommerLesListes(racine) {
    racine.querySelectorAll("select.select2-hidden-accessible").forEach(function (liste) {
      var nom = nomDe(liste);
      var boite = liste.nextElementSibling;
      if (!nom || !boite) { return; }
      boite.querySelectorAll("[role=combobox], [role=textbox], .select2-search__field").forEach(function (element) {
        element.setAttribute("aria-label", nom);
      });
      var combinee = boite.querySelector("[role=combobox][aria-labelledby]");
      if (combinee) {
        combinee.id = liste.id + "-boite";
        combinee.setAttribute("aria-labelledby", combinee.id + " select2-" + liste.id + "-container");
      }
    });
  }

  /* Un tableau plus large que l'écran défile : il faut pouvoir le faire au clavier. */
  function ouvrirAuClavier() {
    document.querySelectorAll(".inline-group").forEach(function (groupe) {
      if (groupe.scrollWidth > groupe.clientWidth) { groupe.tabIndex = 0; }
    });
  }

  function nommer(racine) {
    nommerLesCases(racine);
    nommerLesListes(racine);
  }

  function preparer() {
    nommerLesEntetesVides();
    nommer(document);
    ouvrirAuClavier();
    // Le signal que les essais attendent.
    document.documentElement.dataset.administration = "prete";
  }

  var jQuery = window.django && window.django.jQuery;
  if (jQuery) {
    // À la suite de select2, qui attend lui aussi son tour ; « load » peut passer avant eux.
    jQuery(preparer);
    jQuery(document).on("select2:open", function (evenement) {
      var recherche = document.querySelector(".select2-container--open .select2-search__field");
      if (recherche) { recherche.setAttribute("aria-label", nomDe(evenement.target)); }
    });
  } else {
    document.addEventListener("DOMContentLoaded", preparer);
  }
  document.addEventListener("formset:added", function (evenement) { nommer(evenement.target); });
}());
