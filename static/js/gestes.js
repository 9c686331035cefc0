/* Les gestes sur place : choisir un statut dans un volet, et dire ce qui n'a pas pu se faire.
 *
 * Sans ce script, le volet s'ouvre et se ferme quand même (c'est un <details>), et ses boutons envoient un formulaire
 * ordinaire. Avec lui : le clavier entre dans le volet qu'on ouvre, Échap et un clic ailleurs le ferment, et htmx
 * remplace le seul bloc du statut.
 */
(function () {
  "use strict";

  var VOLETS = "details[data-choix], details[data-repli]";

  function fermer(volet, rendreLeClavier) {
    volet.open = false;
    if (rendreLeClavier) { volet.querySelector("summary").focus(); }
  }

  function fermerLesAutres(gardes) {
    document.querySelectorAll(VOLETS).forEach(function (volet) {
      if (volet.open && !gardes(volet)) { fermer(volet, false); }
    });
  }

  // « toggle » ne remonte pas : il se prend en descendant.
  document.addEventListener("toggle", function (evenement) {
    var volet = evenement.target;
    if (volet.matches && volet.matches("[data-choix]") && volet.open) { volet.querySelector("button").focus(); }
  }, true);

  document.addEventListener("keydown", function (evenement) {
    var volet = evenement.key === "Escape" && evenement.target.closest && evenement.target.closest(VOLETS);
    if (volet && volet.open) { fermer(volet, true); }
  });

  /* « / » mène à la recherche, sauf à qui écrit : à la dernière boîte visible (celle de la page, avant celle de l'en-tête), sinon
   * à la page de recherche. */
  function ecrit(element) {
    return element.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName);
  }
  document.addEventListener("keydown", function (evenement) {
    if (evenement.key !== "/" || evenement.ctrlKey || evenement.altKey || evenement.metaKey || ecrit(evenement.target)) { return; }
    var boites = Array.prototype.slice.call(document.querySelectorAll("[data-recherche]"));
    var boite = boites.filter(function (champ) { return champ.offsetParent !== null; }).pop();
    var lien = document.querySelector(".recherche-lien");
    if (!boite && !lien) { return; }
    evenement.preventDefault();
    if (boite) { boite.focus(); boite.select(); } else { lien.click(); }
  });

  document.addEventListener("click", function (evenement) {
    fermerLesAutres(function (volet) { return volet.contains(evenement.target); });
  });

  /* Un morceau remplacé emporte le volet qu'on vient d'ouvrir et ce qui avait le clavier : le volet se rouvre, ou le
   * clavier revient à la dernière action changée. */
  var changer = "";
  var ouvert = "";
  document.addEventListener("htmx:beforeRequest", function (evenement) {
    var bloc = evenement.target.closest(".statut-en-place");
    if (bloc) { changer = bloc.id.replace("statut-", "changer-"); }
  });
  document.addEventListener("htmx:beforeSwap", function (evenement) {
    var page = evenement.target;
    var resume = page.matches("[hx-get]") && page.querySelector("[data-choix][open] > summary");
    ouvert = resume ? resume.id : "";
  });
  document.addEventListener("htmx:afterSettle", function () {
    var resume = document.getElementById(ouvert);
    if (resume) { resume.parentNode.open = true; }
    ouvert = "";
    var element = document.activeElement === document.body && document.getElementById(changer);
    if (element) { element.focus({ preventScroll: true }); }
  });

  /* Une réponse qui n'est pas celle attendue ne remplace rien : elle se dit, avec de quoi continuer. */
  function dire(phrase) {
    var zone = document.getElementById("messages");
    var alerte = document.createElement("p");
    var lien = document.createElement("a");
    alerte.className = "alert alert-danger";
    alerte.textContent = phrase + " ";
    lien.href = location.href;
    lien.textContent = "Recharger la page";
    alerte.appendChild(lien);
    zone.replaceChildren(alerte);
  }

  // Une panne de la machine a sa page, dont la phrase dit ce qu'il est advenu de l'envoi.
  function phraseDePanne(xhr) {
    var page = xhr.status === 503 && new DOMParser().parseFromString(xhr.responseText, "text/html");
    var phrase = page && page.querySelector("[data-panne]");
    return phrase ? phrase.textContent.trim() : "";
  }

  document.addEventListener("htmx:responseError", function (evenement) {
    dire(phraseDePanne(evenement.detail.xhr) || (evenement.detail.xhr.status === 403
      ? "Rien n'est enregistré : votre session a expiré, ou ce geste ne vous est plus permis."
      : "Rien n'est enregistré : le site a répondu par une erreur (" + evenement.detail.xhr.status + ")."));
  });
  document.addEventListener("htmx:sendError", function () {
    dire("Rien n'est enregistré : le site ne répond pas. Vérifiez votre connexion.");
  });
}());
