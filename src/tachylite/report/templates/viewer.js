// Balls and sticks on a canvas: what is farther away is painted first.
window.showStructures = (scenes) => {
  "use strict";
  const BALL = 0.5, STICK = 0.11, EDGE_PIECES = 14, FOG_LEVELS = 10, FOG = 0.45;
  const canvas = document.getElementById("structure"), pen = canvas.getContext("2d");
  const chooser = document.getElementById("structure-choice"), list = document.getElementById("structure-elements");
  let view, turn, zoom, queued = false;

  const rgb = (code) => [1, 3, 5].map((at) => parseInt(code.slice(at, at + 2), 16));
  const mixed = (a, b, f) => a.map((part, k) => Math.round(part + (b[k] - part) * f));
  const css = (parts) => `rgb(${parts.join(",")})`;
  const surface = () => rgb(getComputedStyle(document.documentElement).getPropertyValue("--surface").trim());

  // turns of the whole view, so that dragging always follows the pointer
  const rotated = (m, about, angle) => {
    const c = Math.cos(angle), s = Math.sin(angle);
    const [i, j] = about === "y" ? [0, 2] : [1, 2];
    const r = m.map((row) => row.slice());
    for (let k = 0; k < 3; k++) {
      r[i][k] = c * m[i][k] + (about === "y" ? s : -s) * m[j][k];
      r[j][k] = (about === "y" ? -s : s) * m[i][k] + c * m[j][k];
    }
    return r;
  };
  const apply = (m, p) => m.map((row) => row[0] * p[0] + row[1] * p[1] + row[2] * p[2]);
  const reset = () => {
    turn = rotated(rotated([[1, 0, 0], [0, 1, 0], [0, 0, 1]], "y", -0.45), "x", 0.3);
    zoom = 1;
  };

  const ballImage = (colour, behind, fog) => {
    const size = 96, image = document.createElement("canvas"), ink = image.getContext("2d");
    image.width = image.height = size;
    const tone = (f, towards) => css(mixed(mixed(colour, towards, f), behind, fog));
    const shade = ink.createRadialGradient(0.36 * size, 0.32 * size, 0.02 * size, 0.5 * size, 0.5 * size, 0.5 * size);
    shade.addColorStop(0, tone(0.72, [255, 255, 255]));
    shade.addColorStop(0.22, tone(0.22, [255, 255, 255]));
    shade.addColorStop(0.55, tone(0.04, [0, 0, 0]));
    shade.addColorStop(0.86, tone(0.34, [0, 0, 0]));
    shade.addColorStop(1, tone(0.58, [0, 0, 0]));
    ink.fillStyle = shade;
    ink.beginPath();
    ink.arc(size / 2, size / 2, size / 2 - 1, 0, 2 * Math.PI);
    ink.fill();
    return image;
  };

  const show = (scene) => {
    const reach = Math.max(...scene.edges.flat().map((p) => Math.hypot(...p))) + 0.8;
    const colours = scene.colours.map(rgb);
    view = { scene, reach, colours };
    shaded();
    list.replaceChildren(...scene.symbols.map((symbol, kind) => {
      const item = document.createElement("li"), dot = document.createElement("i"), count = document.createElement("small");
      dot.style.background = scene.colours[kind];
      count.textContent = scene.kinds.filter((other) => other === kind).length;
      item.append(dot, symbol, count);
      return item;
    }));
    queue();
  };
  const shaded = () => {
    const behind = surface(), levels = [...Array(FOG_LEVELS).keys()].map((k) => (FOG * k) / (FOG_LEVELS - 1));
    view.behind = behind;
    view.balls = view.colours.map((colour) => levels.map((fog) => ballImage(colour, behind, fog)));
    view.sticks = view.colours.map((colour) => levels.map((fog) => [[0.5, [0, 0, 0]], [0.08, [0, 0, 0]], [0.45, [255, 255, 255]]]
      .map(([f, towards]) => css(mixed(mixed(colour, towards, f), behind, fog)))));
    view.lines = levels.map((fog) => css(mixed([128, 136, 150], behind, fog)));
  };

  const queue = () => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; paint(); });
  };
  const pieces = (positions) => {
    const { scene } = view, items = [];
    scene.positions.forEach((p, atom) => items.push({ z: positions[atom][2], ball: atom }));
    scene.bonded.forEach((atom, k) => {
      const start = positions[atom], half = apply(turn, scene.halfBonds[k]), length = Math.hypot(...half);
      // the stick leaves the ball where it pierces its surface
      const radius = BALL * scene.radii[atom], skip = Math.sqrt(Math.max(radius * radius - STICK * STICK, 0)) / length;
      if (skip < 1) {
        const from = start.map((x, i) => x + half[i] * skip), to = start.map((x, i) => x + half[i]);
        items.push({ z: (from[2] + to[2]) / 2, from, to, kind: scene.kinds[atom] });
      }
    });
    for (const edge of scene.edges) {
      const [a, b] = edge.map((p) => apply(turn, p));
      for (let k = 0; k < EDGE_PIECES; k++) {
        const at = (f) => a.map((x, i) => x + ((b[i] - x) * f) / EDGE_PIECES);
        items.push({ z: a[2] + ((b[2] - a[2]) * (k + 0.5)) / EDGE_PIECES, from: at(k), to: at(k + 1) });
      }
    }
    return items.sort((one, other) => one.z - other.z);
  };
  const paint = () => {
    const ratio = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const { scene, reach } = view, scale = (zoom * Math.min(width, height)) / (1.56 * reach);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.lineCap = "round";
    const positions = scene.positions.map((p) => apply(turn, p));
    const x = (p) => width / 2 + scale * p[0], y = (p) => height / 2 - scale * p[1];
    const fog = (z) => Math.min(FOG_LEVELS - 1, Math.max(0, Math.round((0.5 - z / (1.7 * reach)) * (FOG_LEVELS - 1))));
    const stroke = (item, colour, thickness) => {
      pen.strokeStyle = colour;
      pen.lineWidth = thickness;
      pen.beginPath();
      pen.moveTo(x(item.from), y(item.from));
      pen.lineTo(x(item.to), y(item.to));
      pen.stroke();
    };
    for (const item of pieces(positions)) {
      if (item.ball !== undefined) {
        const radius = BALL * scene.radii[item.ball] * scale, p = positions[item.ball];
        pen.drawImage(view.balls[scene.kinds[item.ball]][fog(item.z)], x(p) - radius, y(p) - radius, 2 * radius, 2 * radius);
      } else if (item.kind !== undefined) {
        const [dark, middle, light] = view.sticks[item.kind][fog(item.z)], thick = 2 * STICK * scale;
        stroke(item, dark, thick);
        stroke(item, middle, 0.68 * thick);
        stroke(item, light, 0.22 * thick);
      } else {
        stroke(item, view.lines[fog(item.z)], 1.3);
      }
    }
  };

  let last = null;
  canvas.addEventListener("pointerdown", (event) => { last = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointerup", () => { last = null; });
  canvas.addEventListener("pointercancel", () => { last = null; });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    turn = rotated(rotated(turn, "y", (event.clientX - last[0]) * 0.008), "x", (event.clientY - last[1]) * 0.008);
    last = [event.clientX, event.clientY];
    queue();
  });
  // the page scrolls over the picture until it has been clicked
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas) return;
    event.preventDefault();
    zoom = Math.min(6, Math.max(0.4, zoom * Math.exp(-0.0012 * event.deltaY)));
    queue();
  }, { passive: false });
  canvas.addEventListener("dblclick", () => { reset(); queue(); });
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: ["y", -0.1], ArrowRight: ["y", 0.1], ArrowUp: ["x", -0.1], ArrowDown: ["x", 0.1] };
    if (event.key === "+" || event.key === "-") zoom *= event.key === "+" ? 1.1 : 1 / 1.1;
    else if (moves[event.key]) turn = rotated(turn, ...moves[event.key]);
    else return;
    event.preventDefault();
    queue();
  });
  new ResizeObserver(queue).observe(canvas);
  for (const media of ["(prefers-color-scheme: dark)", "print"]) {
    window.matchMedia(media).addEventListener("change", () => { shaded(); paint(); });
  }
  chooser.replaceChildren(...scenes.map((scene, index) => new Option(scene.title, String(index))));
  chooser.addEventListener("change", () => show(scenes[Number(chooser.value)]));
  reset();
  show(scenes[0]);
  paint();
  return pen.getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
};
