/* Une grille de saisie (les actions, les valeurs d'une année) : clavier, collage d'un tableur, enregistrement par ligne.
 *
 * Sans ce script, la page est un formulaire ordinaire. Avec lui, une ligne s'enregistre quand on la quitte ; la réponse du
 * site est recopiée dans la ligne sans remplacer ses champs : ni le clavier ni ce qu'on tape pendant ce temps ne se perdent.
 * Dans chaque champ, data-enregistre est la valeur en base ; une ligne est changée si l'un de ses champs en diffère.
 * Les colonnes sont celles des titres (th data-colonne) ; une ligne peut ne pas avoir de champ dans l'une d'elles.
 * data-motif-si : les champs dont un changement demande le motif. Après la ligne enregistrée, la réponse peut en donner
 * d'autres : ce qu'elles montrent (data-montre) est recopié, ce qu'on y tape ne l'est pas.
 */
(function () {
  "use strict";

  var grille = document.querySelector("[data-grille]");
  if (!grille) { return; }
  var zone = grille.querySelector("[data-compte-rendu]");

  // --- Lire la grille ---------------------------------------------------------------------------

  function tous(dans, selecteur) { return Array.prototype.slice.call(dans.querySelectorAll(selecteur)); }
  function lignes() { return tous(grille, "[data-ligne]"); }
  function champs(ligne) { return tous(ligne, "[data-champ]"); }
  var noms = tous(grille, "thead [data-colonne]").map(function (titre) { return titre.dataset.colonne; });
  function cellule(ligne, rang) { return rang >= 0 && rang < noms.length ? ligne.querySelector('[data-colonne][data-champ="' + noms[rang] + '"]') : null; }
  function rangDe(champ) { return champ.hasAttribute("data-colonne") ? noms.indexOf(champ.dataset.champ) : -1; }
  function ligneDe(element) { return element.closest("[data-ligne]"); }
  function valeur(champ) { return champ.type === "checkbox" && !champ.checked ? "" : champ.value; }
  function change(champ) { return valeur(champ) !== champ.dataset.enregistre; }
  function changee(ligne) { return champs(ligne).some(change); }
  function accorder(nombre, mot) { return nombre + "\u00a0" + mot.split(" ").map(function (m) { return nombre > 1 ? m + "s" : m; }).join(" "); }
  function dire(phrase) { zone.textContent = phrase; }

  function photo(ligne) {
    return champs(ligne).map(function (champ) { return champ.name + "=" + valeur(champ); }).join("\n");
  }

  function plier(texte) {
    return texte.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/’/g, "'").trim().replace(/\s+/g, " ").toLowerCase();
  }

  // --- Montrer où en est une ligne --------------------------------------------------------------

  function noter(ligne, phrase) { ligne.querySelector('[data-dit="ligne"]').textContent = phrase; }

  function marquer(ligne) {
    // Une ligne qu'on ne fait que lire n'a pas de champ.
    if (!champs(ligne).length) { return; }
    var aChange = changee(ligne);
    ligne.querySelector("[data-enregistrer]").hidden = !aChange;
    ligne.classList.toggle("changee", aChange);
    var motif = ligne.querySelector("[data-motif]");
    var causes = motif.dataset.motifSi.split(" ").concat("motif");
    motif.classList.toggle("demande", champs(ligne).some(function (champ) { return causes.indexOf(champ.dataset.champ) >= 0 && change(champ); }));
  }

  /* Ce que le site vient de répondre prend place dans la ligne ; un champ changé depuis l'envoi garde sa saisie. */
  function recopier(ligne, neuve, envoye) {
    // Une cellule qui ne se remplit plus, ou qui se remplit désormais, change tout entière.
    var cellules = Array.from(neuve.cells);
    Array.from(ligne.cells).forEach(function (ancienne, n) {
      if (!ancienne.querySelector("[data-colonne]") !== !cellules[n].querySelector("[data-colonne]")) { ancienne.replaceWith(cellules[n]); }
    });
    champs(neuve).forEach(function (neuf) {
      var champ = ligne.querySelector('[data-champ="' + neuf.dataset.champ + '"]');
      if (!champ || neuf.type === "checkbox") { return; }
      var intact = champ.value === envoye.get(champ.name);
      champ.dataset.enregistre = neuf.dataset.enregistre;
      champ.classList.toggle("is-invalid", neuf.hasAttribute("aria-invalid"));
      if (neuf.hasAttribute("aria-invalid")) { champ.setAttribute("aria-invalid", "true"); } else { champ.removeAttribute("aria-invalid"); }
      if (champ.tagName === "SELECT") {
        var garde = intact ? neuf.value : champ.value;
        champ.replaceChildren.apply(champ, tous(neuf, "option"));
        choisir(champ, garde);
      } else if (intact && champ.value !== neuf.value) {
        champ.value = neuf.value;
      }
    });
    reprendre(ligne, neuve, "dit");
    remontrer(ligne, neuve);
    tous(neuve, "[data-cachee]").forEach(function (cachee) { grille.elements[cachee.name].value = cachee.value; });
    ligne.dataset.etat = neuve.dataset.etat;
  }

  function reprendre(ligne, neuve, nature) {
    tous(neuve, "[data-" + nature + "]").forEach(function (neuf) {
      var ancien = ligne.querySelector("[data-" + nature + '="' + neuf.dataset[nature] + '"]');
      if (ancien) { ancien.replaceChildren.apply(ancien, Array.prototype.slice.call(neuf.childNodes)); }
    });
  }

  /* Ce qu'une ligne montre sans qu'on l'y tape, et si un motif peut y être demandé. */
  function remontrer(ligne, neuve) {
    reprendre(ligne, neuve, "montre");
    var motif = ligne.querySelector("[data-motif]");
    var neuf = neuve.querySelector("[data-motif]");
    if (motif && neuf) { motif.hidden = neuf.hidden; }
  }

  // --- Enregistrer, une ligne après l'autre -----------------------------------------------------

  var attente = [];
  var occupe = false;
  var bilan = null;
  function nouveauBilan() { return { avant: "", enregistrees: [], refusees: [], perdues: [] }; }

  /* `voulu` : on l'a demandé, même si rien n'a changé depuis un refus. Passer sur une ligne en conflit n'écrase rien. */
  function enregistrer(ligne, voulu) {
    if (!changee(ligne) || attente.indexOf(ligne) >= 0 || (!voulu && photo(ligne) === ligne.dejaEnvoyee)) { return; }
    attente.push(ligne);
    if (!bilan) { bilan = nouveauBilan(); }
    suivre();
  }

  function suivre() {
    if (occupe) { return; }
    var ligne = attente.shift();
    if (!ligne) { conclure(); return; }
    if (!changee(ligne)) { suivre(); return; }
    occupe = true;
    envoyer(ligne).then(function () { occupe = false; suivre(); });
  }

  function envoyer(ligne) {
    var envoye = new URLSearchParams();
    envoye.set("csrfmiddlewaretoken", grille.elements.csrfmiddlewaretoken.value);
    champs(ligne).concat(tous(ligne, "[data-cachee]")).forEach(function (champ) {
      if (champ.type !== "checkbox" || champ.checked) { envoye.set(champ.name, champ.value); }
    });
    ligne.dejaEnvoyee = photo(ligne);
    ligne.enRoute = true;
    noter(ligne, "Enregistrement…");
    // keepalive : l'envoi aboutit même si l'on quitte la page au même instant.
    return fetch(ligne.dataset.adresse, { method: "POST", body: envoye, keepalive: true, credentials: "same-origin", headers: { "HX-Request": "true" } })
      .then(function (reponse) { return reponse.ok ? reponse.text() : Promise.reject(reponse.status); })
      .then(function (texte) {
        var neuves = tous(new DOMParser().parseFromString("<table>" + texte + "</table>", "text/html"), "[data-ligne]");
        recopier(ligne, neuves[0], envoye);
        neuves.slice(1).forEach(function (neuve) {
          var voisine = document.getElementById(neuve.id);
          if (voisine) { remontrer(voisine, neuve); }
        });
        var suites = { enregistree: bilan.enregistrees, refusee: bilan.refusees, conflit: bilan.refusees };
        (suites[ligne.dataset.etat] || []).push(ligne.dataset.ligne);
      })
      .catch(function (code) {
        ligne.dejaEnvoyee = "";
        bilan.perdues.push(ligne.dataset.ligne);
        noter(ligne, code === 403
          ? "Pas enregistré : votre session a expiré, ou ce geste ne vous est plus permis. Votre saisie est gardée."
          : "Pas enregistré : le site ne répond pas comme prévu. Votre saisie est gardée, réessayez.");
      })
      .then(function () { ligne.enRoute = false; marquer(ligne); });
  }

  function nommees(lesquelles) { return "\u00a0: " + (grille.dataset.nomme ? grille.dataset.nomme + " " : "") + lesquelles.join(", "); }

  function conclure() {
    if (!bilan) { return; }
    var phrases = [];
    if (bilan.enregistrees.length) { phrases.push(accorder(bilan.enregistrees.length, "ligne enregistrée")); }
    if (bilan.refusees.length) { phrases.push(accorder(bilan.refusees.length, "ligne refusée") + nommees(bilan.refusees)); }
    if (bilan.perdues.length) { phrases.push(accorder(bilan.perdues.length, "ligne") + " sans réponse du site" + nommees(bilan.perdues)); }
    dire((bilan.avant ? bilan.avant + " " : "") + (phrases.join("\u00a0; ") || "Rien à changer") + ".");
    bilan = null;
  }

  // --- Se déplacer ------------------------------------------------------------------------------

  /* Comme dans un tableur : on se déplace d'abord ; dès qu'on tape ou qu'on ouvre une liste, les flèches sont à elle. */
  var enEdition = null;

  function listeOuverte(champ) {
    if (enEdition === champ && (champ.list || champ.tagName === "TEXTAREA")) { return true; }
    // Un navigateur qui ne sait pas dire si sa liste est ouverte garde ses flèches.
    try { return champ.tagName === "SELECT" && champ.matches(":open"); } catch (erreur) { return true; }
  }

  function aller(champ, pas) {
    var ligne = ligneDe(champ);
    var toutes = lignes();
    // Le motif n'est pas d'une colonne : de lui on va à la cellule où il est, ou à la première.
    var place = champ.hasAttribute("data-colonne") ? champ : champ.closest("td").querySelector("[data-colonne]");
    var rang = place ? rangDe(place) : 0;
    var cible = null;
    // Une ligne qui n'a pas cette cellule se saute.
    for (var n = toutes.indexOf(ligne) + pas; !cible && n >= 0 && n < toutes.length; n += pas) { cible = cellule(toutes[n], rang); }
    if (!cible) { enregistrer(ligne, false); return; }
    cible.focus();
    if (cible.select) { cible.select(); }
  }

  function remettre(champ) {
    if (champ.tagName === "SELECT") { choisir(champ, champ.dataset.enregistre); } else { champ.value = champ.dataset.enregistre; }
    champ.classList.remove("is-invalid");
    champ.removeAttribute("aria-invalid");
    var ligne = ligneDe(champ);
    ligne.querySelector('[data-dit="' + champ.dataset.champ + '"]').replaceChildren();
    marquer(ligne);
    if (!changee(ligne)) { noter(ligne, ""); }
  }

  grille.addEventListener("keydown", function (evenement) {
    var champ = evenement.target;
    if (!champ.matches("[data-champ]") || champ.type === "checkbox" || evenement.isComposing || evenement.ctrlKey || evenement.metaKey) { return; }
    if (evenement.altKey) { enEdition = champ; return; }
    var pas = { ArrowDown: 1, ArrowUp: -1, Enter: evenement.shiftKey ? -1 : 1 }[evenement.key];
    if (evenement.key === "Escape") {
      enEdition = null;
      remettre(champ);
    } else if (pas && (evenement.key === "Enter" || !listeOuverte(champ))) {
      evenement.preventDefault();
      aller(champ, pas);
    }
  });

  grille.addEventListener("pointerdown", function (evenement) {
    // Un clic dans la cellule où l'on est déjà ouvre sa liste.
    if (evenement.target === document.activeElement) { enEdition = evenement.target; }
  });

  grille.addEventListener("focusin", function () { enEdition = null; });

  grille.addEventListener("input", function (evenement) {
    var ligne = ligneDe(evenement.target);
    if (!ligne) { return; }
    enEdition = evenement.target;
    marquer(ligne);
    noter(ligne, changee(ligne) ? "À enregistrer" : "");
  });

  grille.addEventListener("focusout", function (evenement) {
    var ligne = ligneDe(evenement.target);
    // Le temps que le clavier arrive ailleurs ; une fenêtre qu'on quitte des yeux n'est pas une ligne qu'on quitte.
    if (ligne) { setTimeout(function () { if (!ligne.contains(document.activeElement)) { enregistrer(ligne, false); } }); }
  });

  grille.addEventListener("submit", function (evenement) {
    var bouton = evenement.submitter;
    // Un bouton qui veut toute la page l'envoie comme sans script : ce qui est tapé part avec.
    if (bouton && bouton.hasAttribute("data-toute-la-page")) { grille.partie = true; return; }
    evenement.preventDefault();
    var voulues = bouton && ligneDe(bouton) ? [ligneDe(bouton)] : lignes();
    if (!voulues.some(changee)) { dire("Rien à enregistrer : aucune ligne n'a changé."); }
    voulues.forEach(function (ligne) { enregistrer(ligne, true); });
  });

  addEventListener("beforeunload", function (evenement) {
    if (!grille.partie && lignes().some(function (ligne) { return changee(ligne) && !ligne.enRoute; })) { evenement.preventDefault(); }
  });

  // --- Coller -----------------------------------------------------------------------------------

  /* Les cellules d'un presse-papiers de tableur : tabulations, lignes, et guillemets autour de ce qui en contient. */
  function lireLeBloc(texte) {
    var rangees = [[]];
    var motif = /(?:"((?:[^"]|"")*)"(?=[\t\r\n]|$)|([^\t\r\n]*))(\t|\r\n|\r|\n|$)/g;
    var trouve;
    while ((trouve = motif.exec(texte))) {
      var cellule = trouve[1] === undefined ? trouve[2] : trouve[1].replace(/""/g, '"');
      rangees[rangees.length - 1].push(cellule.trim().replace(/\s+/g, " "));
      if (motif.lastIndex >= texte.length && trouve[3] !== "\t") { break; }
      if (trouve[3] !== "\t") { rangees.push([]); }
    }
    return rangees;
  }

  function choisir(liste, texte) {
    var options = tous(liste, "option");
    var trouvee = options.filter(function (o) { return o.value === texte; })[0] ||
      options.filter(function (o) { return plier(o.textContent) === plier(texte); })[0];
    if (!trouvee) {
      // Ce qui n'est pas dans la liste y reste écrit : le site dira ce qu'il attendait.
      trouvee = new Option(texte, texte);
      liste.appendChild(trouvee);
    }
    liste.value = trouvee.value;
  }

  function poser(champ, texte) {
    if (champ.tagName === "SELECT") { choisir(champ, texte); } else { champ.value = texte; }
  }

  /* Quand la première ligne du bloc ne contient que des titres de colonnes, ils disent où va chaque colonne. */
  function titres(rangee) {
    var connus = tous(grille, "thead [data-colonne]").map(function (titre) { return plier(titre.textContent); });
    var rangs = rangee.map(function (cellule) { return connus.indexOf(plier(cellule)); });
    return rangs.every(function (rang) { return rang >= 0; }) ? rangs : null;
  }

  function coller(champ, rangees) {
    var toutes = lignes();
    var premiere = toutes.indexOf(ligneDe(champ));
    var depart = rangDe(champ);
    var rangs = titres(rangees[0]);
    if (rangs) { rangees = rangees.slice(1); }
    var largeur = Math.max.apply(null, rangees.map(function (rangee) { return rangee.length; }).concat([0]));
    rangs = rangs || Array.from({ length: largeur }, function (_, n) { return depart + n; });
    var touchees = toutes.slice(premiere, premiere + rangees.length);
    var posees = 0;
    var vides = 0;
    var fermees = 0;
    touchees.forEach(function (ligne, n) {
      rangees[n].forEach(function (texte, m) {
        if (rangs[m] >= noms.length) { return; }
        var cible = cellule(ligne, rangs[m]);
        if (!cible) { fermees += texte ? 1 : 0; } else if (texte) { poser(cible, texte); posees += 1; } else { vides += 1; }
      });
      marquer(ligne);
    });
    bilan = bilan || nouveauBilan();
    bilan.avant = resume(posees, vides, fermees, rangees.length - touchees.length, rangs.filter(function (rang) { return rang >= noms.length; }).length);
    // Tout de suite : douze lignes s'enregistrent l'une après l'autre, et conclure() redira la phrase avec leur issue.
    dire(bilan.avant);
    touchees.forEach(function (ligne) { enregistrer(ligne, true); });
    if (!occupe) { bilan = null; }
  }

  function resume(posees, vides, fermees, lignesDeTrop, colonnesDeTrop) {
    var phrases = [accorder(posees, "cellule collée") + "."];
    if (vides) { phrases.push(accorder(vides, "case vide") + (vides > 1 ? " n'ont rien effacé." : " n'a rien effacé.")); }
    if (fermees) { phrases.push(accorder(fermees, "case") + (fermees > 1 ? " ne se remplissent pas sur leur ligne, pas collées." : " ne se remplit pas sur sa ligne, pas collée.")); }
    if (lignesDeTrop) { phrases.push("La page s'arrête avant la fin du bloc\u00a0: " + accorder(lignesDeTrop, "ligne") + " de trop, " + (lignesDeTrop > 1 ? "les dernières, pas collées." : "la dernière, pas collée.")); }
    if (colonnesDeTrop) { phrases.push(accorder(colonnesDeTrop, "colonne") + " de trop à droite, " + (colonnesDeTrop > 1 ? "pas collées." : "pas collée.")); }
    return phrases.join(" ");
  }

  grille.addEventListener("paste", function (evenement) {
    var champ = evenement.target;
    if (!champ.matches("[data-colonne]")) { return; }
    var rangees = lireLeBloc(evenement.clipboardData.getData("text/plain").replace(/(\r\n|\r|\n)$/, ""));
    // Une seule valeur se colle dans un texte comme partout ailleurs, là où est le curseur.
    if (rangees.length === 1 && rangees[0].length === 1 && champ.tagName !== "SELECT") { return; }
    evenement.preventDefault();
    coller(champ, rangees);
  });

  // Un rechargement peut rendre ce qui avait été tapé : le navigateur le remet sans le dire.
  lignes().forEach(marquer);
}());
