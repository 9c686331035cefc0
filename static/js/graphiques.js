/* Reprise des graphiques par plotly : les valeurs au survol, l'agrandissement des longues courbes, l'image.
 *
 * plotly se pose par-dessus le tracé et les axes du dessin du serveur, à la même échelle. Le dessin garde la
 * place (rien ne bouge), sa légende, reste lu par les lecteurs d'écran et s'imprime ; si plotly manque ou
 * échoue, il est toujours là. La mise en forme passe par les propriétés des éléments, car la CSP interdit les
 * attributs style. Rien n'est animé : qui demande moins de mouvement n'en a aucun (barre d'outils : plotly.css).
 */
(function () {
  "use strict";

  var REGLAGES = {
    locale: "fr",
    displaylogo: false,
    responsive: true,
    // Rien ne part ailleurs : ni adresse de partage, ni bouton pour le faire.
    plotlyServerURL: "",
    showSendToCloud: false,
    showEditInChartStudio: false,
    modeBarButtonsToRemove: [
      "sendChartToCloud", "toImage", "select2d", "lasso2d", "toggleSpikelines", "autoScale2d"
    ]
  };
  // Plus bas ou plus étroit, la barre d'outils cacherait ce qu'elle sert à voir.
  var BARRE_LARGEUR = 420;
  var BARRE_HAUTEUR = 140;

  /* Une copie de la figure à l'échelle de la boîte : traits, symboles et textes gardent leurs proportions. */
  function aLEchelle(source, largeur) {
    var figure = JSON.parse(source);
    var k = largeur / figure.cadre.largeur;
    figure.layout.font.size = figure.cadre.corps * k;
    figure.layout.hoverlabel = { font: { size: Math.max(12, figure.cadre.corps * k) } };
    Object.keys(figure.layout.margin).forEach(function (cote) { figure.layout.margin[cote] *= k; });
    figure.data.forEach(function (trace) {
      if (trace.line) { trace.line.width *= k; }
      if (trace.marker && trace.marker.size) { trace.marker.size *= k; }
      if (trace.marker && trace.marker.pattern) { trace.marker.pattern.size *= k; }
    });
    return figure;
  }

  /* plotly est caché aux aides techniques : ce qu'il contient ne doit pas prendre le clavier non plus. */
  function sortirDuClavier(zone) {
    zone.querySelectorAll("a, button, [tabindex]").forEach(function (element) {
      if (element.tabIndex !== -1) { element.tabIndex = -1; }
    });
  }

  /* Un texte réparti en lignes d'une cinquantaine de signes ; plotly lit du HTML, aucun ne doit y rester. */
  function enLignes(texte) {
    var lignes = [""];
    texte.split(/\s+/).forEach(function (mot) {
      if (lignes[lignes.length - 1].length + mot.length > 50) { lignes.push(""); }
      lignes[lignes.length - 1] = (lignes[lignes.length - 1] + " " + mot).trim();
    });
    return lignes.map(function (ligne) { return ligne.replace(/&/g, "&amp;").replace(/</g, "&lt;"); });
  }

  /* L'image téléchargée sort de la page : elle emporte son titre et sa légende, au double de la taille. */
  function telecharger(source, cle, titre, police) {
    var largeur = 2 * JSON.parse(source).cadre.largeur;
    var figure = aLEchelle(source, largeur);
    var cadre = figure.cadre;
    var disposition = figure.layout;
    var lignes = enLignes(titre);
    var dessus = 40 * lignes.length + 40 + (cadre.legende ? 60 : 0);
    disposition.font.family = police;
    disposition.showlegend = cadre.legende;
    disposition.title = {
      text: lignes.join("<br>"), x: 0, xref: "container", xanchor: "left", pad: { l: 16, t: 16 },
      y: 1, yref: "container", yanchor: "top", font: { size: 28 }
    };
    disposition.margin.t = dessus;
    if (cadre.axe) {
      disposition.yaxis.title = { text: cadre.axe };
      disposition.margin.l += 44;
    }
    return window.Plotly.downloadImage({ data: figure.data, layout: disposition }, {
      format: "png", filename: cle, width: largeur, height: 2 * (cadre.hauteur - cadre.haut) + dessus
    });
  }

  function boutonDeTelechargement(source, cle, titre, police) {
    return {
      name: "telechargerImage",
      title: "Télécharger le graphique en image",
      icon: window.Plotly.Icons.camera,
      click: function () { telecharger(source, cle, titre, police); }
    };
  }

  function creerZone(boite, cadre) {
    var zone = document.createElement("div");
    zone.className = "graphique-plotly d-print-none";
    zone.setAttribute("aria-hidden", "true");
    Object.assign(zone.style, {
      position: "absolute", left: "0", right: "0", bottom: "0", top: 100 * cadre.haut / cadre.hauteur + "%",
      // Invisible tant qu'il n'est pas fini : on ne voit jamais un graphique à moitié dessiné.
      visibility: "hidden"
    });
    boite.appendChild(zone);
    return zone;
  }

  function reprendre(bloc) {
    var cle = bloc.dataset.graphique;
    var boite = bloc.querySelector("[data-graphique-boite]");
    var donnees = document.getElementById(cle + "-donnees");
    if (!boite || !donnees || boite.querySelector(".graphique-plotly")) { return; }
    var source = donnees.textContent;
    var zone = creerZone(boite, JSON.parse(source).cadre);
    var largeur = 0;

    function renoncer(erreur) {
      zone.remove();
      console.warn("Graphique " + cle + " : le dessin du serveur reste.", erreur);
    }

    function dessiner() {
      if (!boite.clientWidth || boite.clientWidth === largeur) { return null; }
      largeur = boite.clientWidth;
      var figure = aLEchelle(source, largeur);
      figure.layout.font.family = getComputedStyle(boite).fontFamily;
      var reglages = Object.assign({}, REGLAGES, {
        displayModeBar: largeur < BARRE_LARGEUR || zone.clientHeight < BARRE_HAUTEUR ? false : "hover",
        modeBarButtonsToAdd: [boutonDeTelechargement(source, cle, bloc.dataset.titre || cle, figure.layout.font.family)]
      });
      return window.Plotly.react(zone, figure.data, figure.layout, reglages);
    }

    try {
      var premier = dessiner();
      if (!premier) { zone.remove(); return; }
      premier.then(function () {
        zone.style.visibility = "visible";
        sortirDuClavier(zone);
        zone.on("plotly_afterplot", function () { sortirDuClavier(zone); });
        bloc.dataset.repris = "oui";
        if ("ResizeObserver" in window) { new ResizeObserver(dessiner).observe(boite); }
      }, renoncer);
    } catch (erreur) {
      renoncer(erreur);
    }
  }

  function demarrer() {
    if (!window.Plotly) { return; }
    var blocs = document.querySelectorAll("[data-graphique]");
    if (!("IntersectionObserver" in window)) { blocs.forEach(reprendre); return; }
    var guet = new IntersectionObserver(function (entrees) {
      entrees.forEach(function (entree) {
        if (entree.isIntersecting) { guet.unobserve(entree.target); reprendre(entree.target); }
      });
    }, { rootMargin: "400px" });
    blocs.forEach(function (bloc) { guet.observe(bloc); });
  }

  // Un morceau de page remplacé (htmx) peut apporter ses graphiques.
  document.addEventListener("htmx:afterSettle", demarrer);

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", demarrer);
  } else {
    demarrer();
  }
}());
