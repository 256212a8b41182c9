// What the page does: controls from what the model takes, and a picture whenever one of them is moved.
const get = (id) => document.getElementById(id);
const about = JSON.parse(get("about").textContent);
const controls = get("controls");

async function unpacked(id) {
  const text = atob(get(id).textContent);
  const bytes = Uint8Array.from(text, (each) => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

function element(kind, properties, ...inside) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...inside);
  return made;
}

// ---- controls: each has a name, and `value()` says where it stands

let count = 0;
function labelled(text, control, kind = "label") {
  control.id = control.id || `control-${(count += 1)}`;
  return element("label", { htmlFor: control.id, className: kind === "label" ? "" : kind }, text);
}

function slider(place, text, least, most, step, value, moved) {
  const control = element("input", { type: "range", min: least, max: most, step, value });
  const shown = element("output", {}, String(value));
  const name = labelled(text, control);
  shown.htmlFor = control.id;
  control.addEventListener("input", () => { shown.textContent = control.value; moved(); });
  place.append(element("div", { className: "slider" }, name, control, shown));
  return { value: () => Number(control.value), set: (to) => { control.value = to; shown.textContent = control.value; }, control };
}

function number(place, text, most, value, moved) {
  const control = element("input", { type: "number", min: 0, max: most, step: 1, value });
  control.addEventListener("input", moved);
  place.append(element("div", {}, labelled(text, control), control));
  const whole = () => Math.min(most, Math.max(0, Math.floor(Number(control.value) || 0)));
  return { value: whole, set: (to) => { control.value = to; } };
}

function choice(place, text, names, moved) {
  const control = element("select", {}, ...names.map((name, value) => element("option", { value }, name)));
  control.addEventListener("change", moved);
  place.append(element("div", {}, labelled(text, control), control));
  return { value: () => Number(control.value), name: () => names[Number(control.value)] };
}

function button(place, text, pressed) {
  place.append(element("button", { type: "button", onclick: pressed }, text));
}

function section(title, ...inside) {
  const made = element("div", {}, element("h2", {}, title), ...inside);
  controls.append(made);
  return made;
}

const row = (place) => place.appendChild(element("div", { className: "row" }));

// ---- pictures

function painted(canvas, values, shape, said) {
  const [height, width, channels] = shape;
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  const byte = (value) => Math.round((Math.min(1, Math.max(-1, value)) + 1) * 127.5);
  for (let place = 0; place < height * width; place += 1) {
    for (let colour = 0; colour < 3; colour += 1) {
      image.data[4 * place + colour] = byte(values[place * channels + (channels >= 3 ? colour : 0)]);
    }
    image.data[4 * place + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.setAttribute("aria-label", said);
}

function saved() {
  get("made").toBlob((blob) => {
    const link = element("a", { href: URL.createObjectURL(blob), download: "sample.png" });
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

// ---- the model: one picture at a time, and the last one that was asked for

let session = null, ort = null, busy = false, waiting = false;

async function draw() {
  if (busy) { waiting = true; return; }
  busy = true;
  try {
    do {
      waiting = false;
      const { inputs, said, given } = wanted();
      const tensors = {};
      session.inputNames.forEach((name) => {
        const spec = about.inputs[name.replace(/:\d+$/, "")];
        const values = inputs[name.replace(/:\d+$/, "")];
        const Kind = spec.dtype === "int32" ? Int32Array : spec.dtype === "int64" ? BigInt64Array : Float32Array;
        const list = spec.dtype === "int64" ? Array.from(values, (each) => BigInt(each)) : values;
        tensors[name] = new ort.Tensor(spec.dtype, Kind.from(list), [1, ...spec.shape]);
      });
      const answer = await session.run(tensors);
      painted(get("made"), answer[session.outputNames[0]].data, about.output, said);
      get("said").textContent = said;
      if (given) painted(get("given"), given.values, given.shape, "What was given");
      window.pictures = (window.pictures || 0) + 1;
    } while (waiting);
  } catch (error) {
    get("said").textContent = `This can't be drawn: ${error.message}`;
  } finally {
    busy = false;
  }
}

const size = (shape) => shape.reduce((one, other) => one * other, 1);

// ---- inputs that are neither latents nor a picture: the class, attributes, and what else a plugin's generator takes

const further = {};
function furtherControls() {
  const place = section("Sample");
  const line = row(place);
  for (const [name, spec] of Object.entries(about.inputs)) {
    if (spec.role === "class") {
      const control = choice(line, "Class", about.classes, draw);
      further[name] = { values: () => [control.value()], said: () => `class ${control.name()}` };
    } else if (spec.role === "attributes") {
      const sliders = about.attributes.map((each) => slider(place, each, 0, 1, 1, 0, draw));
      further[name] = { values: () => sliders.map((each) => each.value()), said: () => "" };
    } else if (spec.role === "other" && size(spec.shape) <= 16) {
      const control = element("input", { type: "text", placeholder: "as drawn" });
      control.addEventListener("change", draw);
      line.append(element("div", {}, labelled(`${name}: ${size(spec.shape)} numbers`, control), control));
      const numbers = () => control.value.split(/[ ,]+/).filter(Boolean).map(Number);
      further[name] = {
        values: () => (numbers().length === size(spec.shape) && numbers().every(Number.isFinite) ? numbers() : null),
        said: () => "",
      };
    }
  }
  return line;
}

// ---- a generator of latents

let wanted = null;

function latentPage(arrays) {
  const line = furtherControls();
  const seed = number(line, `Seed, 0 to ${about.seeds - 1}`, about.seeds - 1, 0, draw);
  button(line, "Another seed", () => { seed.set((seed.value() + 1) % about.seeds); draw(); });
  const psi = about.levels.length > 1 ? choice(line, "Truncation", about.levels.map((each) => (each === null ? "none" : String(each))), draw) : { value: () => 0 };
  const walk = section("Walk");
  const other = number(walk, "To the seed", about.seeds - 1, 1, draw);
  const share = slider(walk, "Share of the way", 0, 1, 0.02, 0, draw);
  const sliders = [];
  if (about.directions.length) {
    const place = section("Directions");
    button(row(place), "All to the middle", () => { sliders.forEach((each) => each.set(0)); draw(); });
    about.directions.forEach((name) => sliders.push(slider(place, name, -about.reach, about.reach, 0.25, 0, draw)));
  }
  const drawnBy = (name, which) => {
    const of = about.drawn[psi.value()][name], length = size(about.inputs[name].shape);
    return arrays.subarray(of + which * length, of + (which + 1) * length);
  };
  wanted = () => {
    const inputs = {};
    for (const [name, spec] of Object.entries(about.inputs)) {
      const own = further[name] && further[name].values();
      inputs[name] = own || drawnBy(name, seed.value());
      if (!own && spec.walked && share.value() > 0) {
        inputs[name] = between(inputs[name], drawnBy(name, other.value()), share.value());
      }
    }
    const moved = Float32Array.from(inputs[about.latents]);
    sliders.forEach((each, which) => {
      const amount = each.value(), start = about.direction_start + which * moved.length;
      if (amount) for (let place = 0; place < moved.length; place += 1) moved[place] += amount * arrays[start + place];
    });
    inputs[about.latents] = moved;
    const parts = [`Sample of seed ${seed.value()}`, ...Object.values(further).map((each) => each.said())];
    if (share.value() > 0) parts.push(`${Math.round(100 * share.value())}% of the way to seed ${other.value()}`);
    sliders.forEach((each, which) => { if (each.value()) parts.push(`${about.directions[which]} ${each.value()}`); });
    return { inputs, said: parts.filter(Boolean).join(", ") };
  };
}

// On the arc between both: a straight line would leave the sphere near which normal latents lie.
function between(one, other, part) {
  let dot = 0, first = 0, second = 0;
  one.forEach((value, place) => { dot += value * other[place]; first += value * value; second += other[place] ** 2; });
  const angle = Math.acos(Math.min(1, Math.max(-1, dot / Math.sqrt(first * second))));
  const near = Math.sin(angle) < 1e-6;
  const a = near ? 1 - part : Math.sin((1 - part) * angle) / Math.sin(angle);
  const b = near ? part : Math.sin(part * angle) / Math.sin(angle);
  return Float32Array.from(one, (value, place) => a * value + b * other[place]);
}

// ---- a generator that translates

function drawnPage(arrays) {
  const shape = about.inputs[about.given].shape, [height, width, channels] = shape;
  const ground = about.ground, ink = ground > 0 ? 0 : 255;
  let source = new Float32Array(size(shape)).fill(ground), what = "an empty drawing";
  if (Object.values(about.inputs).some((each) => ["class", "attributes", "other"].includes(each.role))) furtherControls();
  const show = (values, name) => { source = values; what = name; draw(); };
  if (about.examples) {
    const place = section("Examples");
    const at = (number) => arrays.subarray(number * size(shape), (number + 1) * size(shape));
    const example = slider(place, `Row of the ${about.examples_of} data`, 0, about.examples - 1, 1, 0, () => show(at(example.value()), `example ${example.value()}`));
    source = at(0);
    what = "example 0";
  }
  const place = section("Draw");
  const factor = Math.max(1, Math.floor(336 / Math.max(height, width)));
  const pad = element("canvas", { id: "pad", width: width * factor, height: height * factor });
  pad.setAttribute("role", "img");
  pad.setAttribute("aria-label", "A drawing pad, for a mouse, pen or finger; pictures and examples need none");
  place.append(pad);
  const gray = (value) => `rgb(${value}, ${value}, ${value})`;
  const line = row(place);
  const width_of = slider(place, "Width of the line", 1, 8, 0.5, 1.5, () => {});
  const colour = element("input", { type: "color", value: ink ? "#ffffff" : "#000000" });
  if (channels >= 3) line.append(element("div", {}, labelled("Colour", colour), colour));
  const small = element("canvas", { width, height }), reduced = small.getContext("2d", { willReadFrequently: true });
  const read = (picture, name) => {
    reduced.imageSmoothingEnabled = true;
    reduced.imageSmoothingQuality = "high";
    reduced.fillStyle = "white";
    reduced.fillRect(0, 0, width, height);
    const w = picture.videoWidth || picture.width, h = picture.height;
    const side = width === height ? Math.min(w, h) : 0;  // the centre square, as the zoo reads pictures
    if (side) reduced.drawImage(picture, (w - side) / 2, (h - side) / 2, side, side, 0, 0, width, height);
    else reduced.drawImage(picture, 0, 0, width, height);
    const pixels = reduced.getImageData(0, 0, width, height).data, values = new Float32Array(size(shape));
    for (let each = 0; each < height * width; each += 1) {
      const [r, g, b] = pixels.subarray(4 * each, 4 * each + 3);
      const shown = channels >= 3 ? [r, g, b, 255] : [0.299 * r + 0.587 * g + 0.114 * b, 255];
      for (let part = 0; part < channels; part += 1) values[each * channels + part] = shown[part] / 127.5 - 1;
    }
    show(values, name);
  };
  const pen = () => ({ colour: channels >= 3 ? colour.value : gray(ink), width: width_of.value() * factor });
  const drawing = drawingPad(pad, gray(255 - ink), pen, () => read(pad, "the drawing"));
  button(line, "Clear", drawing.clear);

  const file = element("input", { type: "file", accept: "image/*" });
  const dropping = element("div", { id: "dropping" }, labelled("A picture of yours, chosen or dropped here", file), file);
  section("Picture", dropping);
  const taken = async (found) => {
    try {
      if (found) read(await createImageBitmap(found), found.name);
    } catch {
      get("said").textContent = `${found.name} can't be read as a picture.`;
    }
  };
  file.addEventListener("change", () => taken(file.files[0]));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    dropping.addEventListener(kind, (event) => {
      event.preventDefault();
      dropping.classList.toggle("over", kind === "dragover");
      if (kind === "drop") taken(event.dataTransfer.files[0]);
    });
  }
  get("given-figure").hidden = get("made-caption").hidden = false;
  wanted = () => {
    const inputs = {};
    for (const [name, spec] of Object.entries(about.inputs)) {
      inputs[name] = (further[name] && further[name].values()) || new Float32Array(size(spec.shape));
    }
    inputs[about.given] = source;
    const classes = Object.values(further).map((each) => each.said()).filter(Boolean);
    return { inputs, said: [`Made of ${what}`, ...classes].join(", "), given: { values: source, shape } };
  };
}

// ---- the beginning

try {
  const address = URL.createObjectURL(new Blob([await unpacked("runtime")], { type: "text/javascript" }));
  ort = await import(address);
  URL.revokeObjectURL(address);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await unpacked("binary");  // or it would be fetched, which no browser does from a file
  session = await ort.InferenceSession.create(await unpacked("model"), { executionProviders: ["wasm"] });
  const arrays = new Float32Array(await unpacked("arrays"));
  if (about.given) drawnPage(arrays); else latentPage(arrays);
  await draw();
  get("save").hidden = false;
  get("save").addEventListener("click", saved);
} catch (error) {
  get("said").textContent = `This browser can't compute the page: ${error.message}`;
}
