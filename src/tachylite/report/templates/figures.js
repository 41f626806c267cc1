(() => {
  "use strict";
  const body = document.body;
  const fail = (message) => { body.dataset.errors = `${body.dataset.errors || ""}${message}; `; };
  window.addEventListener("error", (event) => fail(event.message));
  window.addEventListener("unhandledrejection", (event) => fail(String(event.reason)));

  const payload = JSON.parse(document.getElementById("payload").textContent);
  const darkMode = window.matchMedia("(prefers-color-scheme: dark)");
  // every plot on the page with its description; more may come while the page is read
  const shown = new Map();
  let theme = payload.theme;
  const font = getComputedStyle(body).fontFamily;

  const resolved = (value, colours) => {
    if (typeof value === "string") return value.startsWith("@") ? colours[value.slice(1)] : value;
    if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map((part) => resolved(part, colours));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolved(part, colours)]));
  };

  const finished = (layout, colours) => {
    const axis = {
      gridcolor: colours.grid, linecolor: colours.muted, tickcolor: colours.muted, zeroline: false, showline: true,
      ticks: "outside", ticklen: 4, automargin: true, tickfont: { size: 11.5 },
    };
    const full = {
      ...layout, showlegend: false, hovermode: "closest", dragmode: "zoom", autosize: true,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: font, size: 12.5, color: colours.ink },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.muted, activecolor: colours.accent },
      hoverlabel: { bgcolor: colours.surface, bordercolor: colours.muted, font: { family: font, color: colours.ink }, align: "left" },
    };
    for (const key of Object.keys(layout)) if (/^[xy]axis/.test(key)) full[key] = { ...axis, ...layout[key] };
    return full;
  };

  const drawPlot = (element, colours) => {
    const { data, layout } = resolved(shown.get(element), colours);
    const image = { format: "svg", filename: `${payload.fileStem}_${element.dataset.name}` };
    return Plotly.react(element, data, finished(layout, colours), {
      responsive: true, displaylogo: false, displayModeBar: true, toImageButtonOptions: image,
      modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
    });
  };
  const paintSwatches = (root, colours) => {
    for (const swatch of root.querySelectorAll(".legend svg")) swatch.style.color = colours[swatch.dataset.colour];
  };
  const draw = (mode) => {
    body.dataset.mode = mode;
    paintSwatches(document, theme[mode]);
    for (const element of shown.keys()) if (!element.isConnected) shown.delete(element);
    return Promise.all([...shown.keys()].map((element) => drawPlot(element, theme[mode])));
  };

  const listen = (root) => {
    for (const button of root.querySelectorAll(".legend button")) {
      button.addEventListener("click", () => {
        const visible = button.getAttribute("aria-pressed") === "false";
        button.setAttribute("aria-pressed", String(visible));
        for (const element of button.closest("figure").querySelectorAll(".plot")) {
          const hit = element.data.flatMap((trace, index) => (trace.meta === button.dataset.series ? [index] : []));
          if (hit.length) Plotly.restyle(element, { visible }, hit);
        }
      });
    }
  };

  const current = () => (darkMode.matches ? "dark" : "light");
  darkMode.addEventListener("change", () => draw(current()));
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
    draw("light");
  });
  window.addEventListener("afterprint", () => draw(current()));

  const register = (root, plots) => {
    for (const element of root.querySelectorAll(".plot")) shown.set(element, plots[Number(element.dataset.plot)]);
    listen(root);
  };
  // figures that are loaded later, as HTML with the plots that it names
  window.showFigures = (root, { html, plots, theme: more }) => {
    root.innerHTML = html;
    theme = { light: { ...theme.light, ...more.light }, dark: { ...theme.dark, ...more.dark } };
    register(root, plots);
    return draw(current());
  };

  register(document, payload.plots);
  draw(current()).then(() => {
    let drawn = [...shown.keys()].filter((element) => element.querySelector("svg.main-svg")).length;
    if (payload.scenes.length) drawn += window.showStructures(payload.scenes) ? 1 : 0;
    body.dataset.drawn = String(drawn);
    body.dataset.state = "ready";
  }).catch((error) => fail(String(error)));
})();
