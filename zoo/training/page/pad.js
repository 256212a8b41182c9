// A canvas to draw on by mouse, pen or finger; drawn() is called after each change, at most once a frame.
function drawingPad(pad, ground, pen, drawn) {
  const surface = pad.getContext("2d", { willReadFrequently: true });
  let last = null, due = false;
  const tell = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; drawn(); });
  };
  const clear = () => {
    surface.fillStyle = ground;
    surface.fillRect(0, 0, pad.width, pad.height);
  };
  const spot = (event) => {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) * pad.width / box.width, (event.clientY - box.top) * pad.height / box.height];
  };
  const stroke = (event) => {
    if (!last) return;
    const next = spot(event), { colour, width } = pen();
    surface.strokeStyle = colour;
    surface.lineWidth = width;
    surface.lineCap = "round";
    surface.beginPath();
    surface.moveTo(last[0], last[1]);
    surface.lineTo(next[0], next[1]);
    surface.stroke();
    last = next;
    tell();
  };
  pad.addEventListener("pointerdown", (event) => {
    last = spot(event);
    pad.setPointerCapture(event.pointerId);
    stroke(event);
  });
  pad.addEventListener("pointermove", stroke);
  for (const kind of ["pointerup", "pointercancel"]) pad.addEventListener(kind, () => { last = null; });
  clear();
  return { clear: () => { clear(); tell(); } };
}
