// Filters, tables and what is loaded on click: the table of a screen in its own page.
(() => {
  "use strict";
  const { columns, diagrams, structures } = JSON.parse(document.getElementById("table").textContent);
  const AT_ONCE = 100, known = new Set(diagrams), shown = new Set(structures);
  const rows = columns.formula.map((_, at) => Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[at]])));
  const number = (value, digits = 3) => (value === null || value === undefined ? "–" : value.toFixed(digits));

  const bySystem = new Map();
  for (const row of rows) bySystem.set(row.system, [...(bySystem.get(row.system) || []), row]);
  const least = (values) => { const there = values.filter((value) => value !== null); return there.length ? Math.min(...there) : null; };
  const share = (own, status) => own.filter((row) => row.status === status).length;
  const systems = [...bySystem].map(([system, own]) => {
    const glasses = own.filter((row) => row.status === "completed");
    return {
      system, own, elements: system.split("-"), count: glasses.length,
      lowest: least(glasses.map((row) => row.formation_energy_ev_per_atom)), above: least(glasses.map((row) => row.above_hull_ev_per_atom)),
      crystallised: share(own, "crystallised"), failed: share(own, "failed"),
      words: `${system} ${own[0].chemistry} ${own.map((row) => row.formula).join(" ")}`.toLowerCase(),
    };
  });

  // -- files beside the page ---------------------------------------------------------------------------------------
  const waiting = new Map();
  window.received = (name, content) => { waiting.get(name)?.(content); waiting.delete(name); };
  const load = (folder, name) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    waiting.set(name, resolve);
    script.src = `${folder}/${encodeURIComponent(name)}.js`;
    script.onerror = () => reject(new Error(`${script.src} is not there`));
    script.onload = () => script.remove();
    document.body.append(script);
  });

  // -- tables ------------------------------------------------------------------------------------------------------
  const table = (id, cells, choose) => {
    const head = document.querySelector(`#${id} thead`), body = document.querySelector(`#${id} tbody`);
    const more = document.querySelector(`#${id}`).parentElement.querySelector(".more");
    let items = [], sort = null, down = false, length = AT_ONCE;
    const order = (a, b) => {
      const [x, y] = [a[sort], b[sort]];
      if (x === y) return 0;
      if (x === null) return 1;
      if (y === null) return -1;
      return (x < y ? -1 : 1) * (down ? -1 : 1);
    };
    const fill = () => {
      const sorted = sort ? [...items].sort(order) : items;
      body.replaceChildren(...sorted.slice(0, length).map((item) => {
        const line = document.createElement("tr");
        cells(item).forEach((cell, at) => {
          const place = document.createElement("td");
          if (at) place.textContent = cell;
          else {
            const button = document.createElement("button");
            button.type = "button";
            button.textContent = cell;
            button.addEventListener("click", () => {
              for (const other of body.querySelectorAll(".chosen")) other.classList.remove("chosen");
              line.classList.add("chosen");
              choose(item);
            });
            place.append(button);
          }
          line.append(place);
        });
        return line;
      }));
      more.hidden = sorted.length <= length;
    };
    more.addEventListener("click", () => { length += AT_ONCE; fill(); });
    for (const button of head.querySelectorAll("button")) {
      button.addEventListener("click", () => {
        down = sort === button.dataset.sort && !down;
        sort = button.dataset.sort;
        for (const other of head.querySelectorAll("button")) other.removeAttribute("aria-sort");
        button.setAttribute("aria-sort", down ? "descending" : "ascending");
        fill();
      });
    }
    return (wanted) => { items = wanted; length = AT_ONCE; fill(); };
  };

  const diagram = document.getElementById("diagram");
  const showSystem = ({ system }) => {
    if (!known.has(system)) { diagram.textContent = `${system} has no diagram; see its compositions below.`; return Promise.resolve(); }
    return load("systems", system).then((content) => window.showFigures(diagram, content));
  };
  const viewer = document.getElementById("member-structure"), figures = document.getElementById("member-figures");
  const showMember = (row) => {
    if (!shown.has(row.material_id)) {
      viewer.hidden = true;
      figures.textContent = row.reason || `The structure is in the store: tachylite report ${row.material_id}`;
      return Promise.resolve();
    }
    return load("structures", row.material_id).then((content) => {
      viewer.hidden = !content.scene;
      if (content.scene) window.showStructures([content.scene]);
      figures.textContent = "";
      return content.figures ? window.showFigures(figures, content.figures) : null;
    });
  };
  const fillSystems = table("systems", (s) => [s.system, s.count, number(s.lowest), number(s.above), s.crystallised || "", s.failed || ""], showSystem);
  const fillCompositions = table("compositions", (row) => [
    row.sample ? `${row.formula} (${row.sample + 1})` : row.formula, number(row.above_hull_ev_per_atom), number(row.formation_energy_ev_per_atom),
    number(row.density_g_cm3, 2), (row.status === "completed" ? "amorphous" : row.status) + (row.repulsion ? ", with repulsion" : ""), row.stable_phases || "",
  ], showMember);

  // -- map of the elements, search -----------------------------------------------------------------------------------
  const buttons = [...document.querySelectorAll("#map button")], quantity = document.getElementById("map-quantity");
  const of = {
    above: (own) => { const v = own.filter((r) => r.status === "completed" && r.above_hull_ev_per_atom !== null).map((r) => r.above_hull_ev_per_atom); return v.length ? v.reduce((a, b) => a + b, 0) / v.length : null; },
    lowest: (own) => least(own.filter((r) => r.status === "completed").map((r) => r.formation_energy_ev_per_atom)),
    crystallised: (own) => (own.length ? share(own, "crystallised") / own.length : null),
    failed: (own) => (own.length ? share(own, "failed") / own.length : null),
  };
  const byElement = new Map(buttons.map((button) => [button.dataset.symbol, []]));
  for (const system of systems) for (const element of system.elements) byElement.get(element)?.push(...system.own);
  const paintMap = () => {
    const values = new Map([...byElement].map(([symbol, own]) => [symbol, of[quantity.value](own)]));
    const there = [...values.values()].filter((value) => value !== null);
    const low = Math.min(...there), high = Math.max(...there);
    document.getElementById("map-scale").textContent = there.length ? `from ${number(low)} (light) to ${number(high)} (dark).` : "";
    for (const button of buttons) {
      const value = values.get(button.dataset.symbol), depth = value === null ? 0 : 8 + (47 * (value - low)) / (high - low || 1);
      button.style.background = value === null ? "" : `color-mix(in srgb, var(--accent) ${depth}%, var(--surface))`;
      button.querySelector("small").textContent = value === null ? "" : number(value, 2);
    }
  };
  const search = document.getElementById("search"), found = document.getElementById("found");
  const filter = () => {
    const elements = buttons.filter((button) => button.getAttribute("aria-pressed") === "true").map((button) => button.dataset.symbol);
    const text = search.value.trim().toLowerCase();
    const matching = systems.filter((s) => elements.every((element) => s.elements.includes(element)) && s.words.includes(text));
    const members = matching.flatMap((s) => s.own);
    members.sort((a, b) => (a.above_hull_ev_per_atom ?? Infinity) - (b.above_hull_ev_per_atom ?? Infinity));
    found.textContent = `${matching.length.toLocaleString("en")} systems, ${members.length.toLocaleString("en")} compositions`;
    fillSystems(matching);
    fillCompositions(members);
    return matching;
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  search.addEventListener("input", filter);
  quantity.addEventListener("change", paintMap);
  paintMap();
  const [first] = filter();
  // index.html#MATERIAL_ID shows that one
  const wanted = rows.find((row) => row.material_id === window.location.hash.slice(1));
  Promise.all([first ? showSystem(first) : null, wanted ? showMember(wanted) : null])
    .then(() => { document.body.dataset.campaign = "ready"; });
})();
