// Structures and trajectories in three dimensions, by 3Dmol; bonds and colours are those of the PNG figures.
(() => {
  "use strict";
  const BALL = 0.5, STICK = 0.11, FRAMES_PER_S = 20, TURN = 6;
  const host = document.getElementById("structure"), chooser = document.getElementById("structure-choice");
  const player = document.getElementById("structure-player"), play = document.getElementById("structure-play");
  const slider = document.getElementById("structure-frame"), time = document.getElementById("structure-time");
  const elements = document.getElementById("structure-elements"), said = document.getElementById("structure-atoms");
  const invitation = said.textContent;
  let viewer = null, scenes = [], scene = null, frame = 0, timer = null, chosen = [], home = null;

  const at = ([x, y, z]) => ({ x, y, z });
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // what moves is in the frames of a trajectory, and in the scene itself of a single structure
  const moving = () => (scene.frames ? scene.frames[frame] : scene);

  const paint = () => {
    const { positions, bonded, halfBonds, edges } = moving(), { kinds, radii, colours, symbols } = scene;
    viewer.removeAllModels();
    viewer.removeAllShapes();
    const model = viewer.addModel();
    model.addAtoms(positions.map((p, atom) => ({ ...at(p), elem: symbols[kinds[atom]], index: atom, serial: atom, properties: {}, bonds: [], bondOrder: [] })));
    colours.forEach((color, kind) => {
      model.setStyle({ elem: symbols[kind] }, { sphere: { radius: BALL * radii[kinds.indexOf(kind)], color } });
      const sticks = viewer.addShape({ color });
      bonded.forEach((atom, k) => {
        if (kinds[atom] !== kind) return;
        const start = positions[atom], end = start.map((x, i) => x + halfBonds[k][i]);
        sticks.addCylinder({ start: at(start), end: at(end), radius: STICK, color });
      });
    });
    for (const [start, end] of edges) viewer.addLine({ start: at(start), end: at(end), color: style("--muted") });
    viewer.setClickable({}, true, choose);
    viewer.render();
    if (scene.frames) {
      slider.value = String(frame);
      time.textContent = `${scene.times_ps[frame].toFixed(3)} ps`;
    }
  };
  const name = (atom) => `${scene.symbols[scene.kinds[atom]]} ${atom + 1}`;
  const choose = ({ index }) => {
    chosen = chosen.length === 1 ? [chosen[0], index] : [index];
    const { positions } = moving(), [a, b] = chosen;
    said.textContent = b === undefined ? `${name(a)}.`
      : `${name(a)} to ${name(b)}: ${Math.hypot(...positions[a].map((x, i) => x - positions[b][i])).toFixed(3)} Å, as drawn.`;
  };

  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  };
  const start = () => {
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => { frame = (frame + 1) % scene.frames.length; paint(); }, 1000 / FRAMES_PER_S);
  };
  const show = async (next) => {
    stop();
    // a trajectory is fetched when it is looked at
    if (next.address && !next.frames) {
      said.textContent = "The trajectory is being read.";
      const answer = await fetch(next.address);
      if (!answer.ok) { said.textContent = "The trajectory cannot be read."; return; }
      Object.assign(next, await answer.json());
    }
    [scene, frame, chosen] = [next, 0, []];
    said.textContent = invitation;
    player.hidden = !scene.frames;
    if (scene.frames) slider.max = String(scene.frames.length - 1);
    elements.replaceChildren(...scene.symbols.map((symbol, kind) => {
      const item = document.createElement("li"), dot = document.createElement("i"), count = document.createElement("small");
      dot.style.background = scene.colours[kind];
      count.textContent = scene.kinds.filter((other) => other === kind).length;
      item.append(dot, symbol, count);
      return item;
    }));
    paint();
    viewer.zoomTo();
    viewer.rotate(-26, "y");
    viewer.rotate(17, "x");
    viewer.render();
    home = viewer.getView();
  };

  play.addEventListener("click", () => (timer ? stop() : start()));
  slider.addEventListener("input", () => { stop(); frame = Number(slider.value); paint(); });
  chooser.addEventListener("change", () => show(scenes[Number(chooser.value)]));
  // the page scrolls over the picture until it has been clicked
  host.addEventListener("wheel", (event) => { if (document.activeElement !== host) event.stopPropagation(); }, { capture: true });
  host.addEventListener("pointerdown", () => host.focus({ preventScroll: true }));
  host.addEventListener("dblclick", () => viewer.setView(home));
  host.addEventListener("keydown", (event) => {
    const turns = { ArrowLeft: ["y", -TURN], ArrowRight: ["y", TURN], ArrowUp: ["x", -TURN], ArrowDown: ["x", TURN] };
    if (turns[event.key]) viewer.rotate(turns[event.key][1], turns[event.key][0]);
    else if (event.key === "+" || event.key === "-") viewer.zoom(event.key === "+" ? 1.1 : 1 / 1.1);
    else if (event.key === "Home") viewer.setView(home);
    else return;
    event.preventDefault();
    viewer.render();
  });
  for (const media of ["(prefers-color-scheme: dark)", "print"]) {
    window.matchMedia(media).addEventListener("change", () => {
      viewer?.setBackgroundColor(style("--surface"));
      if (scene) paint();
    });
  }

  // whether they are shown: a browser without WebGL says so in their place
  window.showStructures = (given) => {
    scenes = given;
    chooser.hidden = scenes.length < 2;
    chooser.replaceChildren(...scenes.map((entry, index) => new Option(entry.title, String(index))));
    try {
      viewer ??= $3Dmol.createViewer(host, { backgroundColor: style("--surface"), antialias: true });
    } catch {
      host.textContent = "This browser has no WebGL, which draws structures; the files below hold them.";
      return false;
    }
    show(scenes[0]);
    return host.querySelector("canvas") !== null;
  };
})();
