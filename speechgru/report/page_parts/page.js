"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const CHUNK = 100; // rows drawn at a time
const MOST_PAIRS = 300; // kinds of errors in a table
const NO_FILTER = { text: "", speaker: "", kind: "", pair: null };
const filter = { ...NO_FILTER };
for (const each of data.systems) {
  each.byId = new Map(each.utterances.map((utterance) => [utterance.id, utterance]));
}
let system = data.systems[0];
let shown = []; // utterances that pass the filter, in order
let drawn = 0; // how many of them have a row
let current = -1; // selected row
let player = null; // what is open and can be played

// Build an element: el("td", {class: "number"}, "12", child, ...)
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const percent = (rate) => (rate === null ? "∞" : (100 * rate).toFixed(2));
const interval = (rate) => `[${percent(rate.low)}, ${percent(rate.high)}]`;
const edits = (counts) => counts.substitutions + counts.deletions + counts.insertions;
const words = (counts) => counts.substitutions + counts.deletions + counts.hits;
const kindOf = ([said, heard]) =>
  said === null ? "I" : heard === null ? "D" : said === heard ? "C" : "S";

// ---- the summary --------------------------------------------------------

function drawSummary() {
  const { summary } = system;
  const minutes =
    summary.duration === null ? "" : `${(summary.duration / 60).toFixed(1)} minutes, `;
  const card = (name, value, note) =>
    el("div", { class: "card" },
      el("div", { class: "name" }, name),
      el("div", { class: "value" }, value),
      el("div", { class: "note" }, note));
  const rateCard = (name, rate) =>
    card(name, `${percent(rate.rate)} %`, `95 %: ${interval(rate)}`);
  const counts = summary.words;
  const total = edits(counts);
  const part = (kind, name, count) =>
    el("span", { class: kind, style: `flex: ${count}`, title: `${count} ${name}` },
      `${count} ${name}`);
  byId("summary").replaceChildren(
    el("div", { class: "cards" },
      rateCard("Word error rate", summary.words),
      rateCard("Character error rate", summary.characters),
      rateCard("Utterances with an error", summary.sentences),
      card("Utterances", `${summary.num_utterances}`,
        `${minutes}${words(counts)} words said`)),
    total === 0 ? el("p", {}, "No errors.") :
      el("div", { class: "parts", role: "img",
        "aria-label": `${counts.substitutions} substitutions, ${counts.deletions} ` +
          `deletions, ${counts.insertions} insertions` },
        ...[["S", "substitutions"], ["D", "deletions"], ["I", "insertions"]]
          .filter(([, name]) => counts[name] > 0)
          .map(([kind, name]) => part(kind, name, counts[name]))),
    el("p", { class: "quiet" },
      `Words ${summary.mapped_by === null ? "" : `mapped by ${summary.mapped_by}, `}` +
      `aligned by ${summary.scoring}; intervals by bootstrap over ` +
      `${summary.resampled}s.`));
}

// A table of [name, error rate], each with its interval as a whisker.
function drawRates(section, rates, heads, onpick = null) {
  section.hidden = rates.length < 2;
  const largest = Math.max(...rates.map(([, rate]) => rate.high ?? 0), 1e-9);
  const whisker = ({ rate, low, high }) => {
    const x = (value) => (value === null ? 100 : (100 * value) / largest);
    return svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none" },
      svg("rect", { x: 0, y: 3, width: x(rate), height: 4, fill: "var(--line)" }),
      svg("line", { x1: x(low), x2: x(high), y1: 5, y2: 5, stroke: "var(--accent)",
        "stroke-width": 2, "vector-effect": "non-scaling-stroke" }),
      svg("line", { x1: x(rate), x2: x(rate), y1: 1, y2: 9, stroke: "var(--ink)",
        "stroke-width": 2, "vector-effect": "non-scaling-stroke" }));
  };
  const table = el("table", {},
    el("thead", {}, el("tr", {}, el("th", {}, heads[0]),
      el("th", { class: "number" }, "words"), el("th", { class: "number" }, heads[1]),
      el("th", {}, "95 % interval"))),
    el("tbody", {}, ...rates.map(([name, rate]) =>
      el("tr", onpick ? { class: "link", tabindex: 0, title: "Show only these",
        onclick: () => onpick(name),
        onkeydown: (event) => event.key === "Enter" && onpick(name) } : {},
        el("td", {}, makeName(name)),
        el("td", { class: "number" }, `${words(rate)}`),
        el("td", { class: "number" }, percent(rate.rate)),
        el("td", { class: "whisker", title: interval(rate) }, whisker(rate))))));
  section.replaceChildren(section.querySelector("h2"), el("div", { class: "scroll" }, table));
}

// What was inserted has no place in training: only words that were said count.
function drawFrequencies() {
  const section = byId("frequencies");
  drawRates(section, Object.entries(system.breakdown.by_frequency),
    ["in training", "not heard %"]);
  if (system.unseen) section.append(el("p", { class: "quiet" }, system.unseen));
}

// ---- learning curves ----------------------------------------------------

// The curves come as SVG that holds nothing but numbers and names of ours.
function drawLearning() {
  const section = byId("learning");
  section.hidden = system.plots === "";
  const curves = el("div", { class: "curves" });
  curves.innerHTML = system.plots;
  section.replaceChildren(section.querySelector("h2"), curves);
}

// ---- calibration --------------------------------------------------------

function drawCalibration() {
  const { calibration } = system.summary;
  const section = byId("calibration");
  section.hidden = !calibration;
  if (!calibration) return;
  const [size, left, bottom, top] = [300, 40, 44, 10];
  const x = (value) => left + (size - left - 10) * value;
  const y = (value) => size - bottom - (size - bottom - top) * value;
  const chart = svg("svg", { viewBox: `0 0 ${size} ${size}`, role: "img",
    "aria-label": "Share of words that are right, by confidence" });
  for (const value of [0, 0.5, 1]) {
    chart.append(
      svg("line", { x1: left, x2: x(1), y1: y(value), y2: y(value), stroke: "var(--line)" }),
      svg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, `${100 * value}`),
      svg("text", { x: x(value), y: size - bottom + 16, "text-anchor": "middle" }, `${100 * value}`));
  }
  chart.append(
    svg("text", { x: x(0.5), y: size - 8, "text-anchor": "middle" }, "confidence, %"),
    svg("text", { x: left + 6, y: top + 14 }, "right, %"),
    svg("line", { x1: x(0), y1: y(0), x2: x(1), y2: y(1), stroke: "var(--quiet)",
      "stroke-dasharray": "4 4" }),
    svg("polyline", { fill: "none", stroke: "var(--accent)", "stroke-width": 2, points:
      calibration.bins.map((bin) => `${x(bin.confidence)},${y(bin.accuracy)}`).join(" ") }));
  for (const bin of calibration.bins) {
    const share = bin.num_words / calibration.num_words;
    chart.append(svg("circle", { cx: x(bin.confidence), cy: y(bin.accuracy),
      r: 2.5 + 8 * Math.sqrt(share), fill: "var(--accent)", "fill-opacity": 0.6 },
      svg("title", {}, `${bin.num_words} words: confidence ${percent(bin.confidence)} %, ` +
        `right ${percent(bin.accuracy)} %`)));
  }
  section.replaceChildren(section.querySelector("h2"),
    el("p", {}, `${calibration.num_words} words heard: confidence ` +
      `${percent(calibration.confidence)} % on average, ${percent(calibration.accuracy)} % right; ` +
      `expected calibration error ${percent(calibration.error)} %. A point for each tenth of ` +
      "confidence, larger with more words; on the dashed line, confidence keeps its word."),
    el("div", { class: "calibration" }, chart));
}

// ---- confusions ---------------------------------------------------------

function drawConfusions() {
  const counts = new Map();
  for (const utterance of system.utterances) {
    for (const pair of utterance.pairs) {
      if (kindOf(pair) === "C") continue;
      const key = JSON.stringify(pair);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const rows = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const pick = (key) => { filter.pair = key; refilter(); byId("utterances").scrollIntoView(); };
  drawPairs(byId("confusions"), rows.length, rows.slice(0, MOST_PAIRS).map(([key, count]) =>
    [...JSON.parse(key), count]), (said, heard) => pick(JSON.stringify([said, heard])));
}

function drawCharacters() {
  const { kinds, most } = system.breakdown.characters_confused;
  const examples = new Map(most.map((row, index) =>
    [JSON.stringify(row.slice(0, 2)), system.character_examples[index]]));
  drawPairs(byId("characters"), kinds, most, (said, heard) => {
    clearFilters();
    byId("search").value = filter.text = examples.get(JSON.stringify([said, heard]));
    refilter();
    byId("utterances").scrollIntoView();
  }, "Show an utterance with it");
}

// A table of [said, heard, times], the most frequent of so many kinds.
function drawPairs(section, kinds, rows, onpick, title = "Show where") {
  section.hidden = rows.length === 0;
  const show = (text) => text === null ? el("span", { class: "quiet" }, "nothing") :
    text === " " ? el("span", { class: "quiet" }, "space") : text;
  const table = el("table", {},
    el("thead", {}, el("tr", {}, el("th", {}, "said"), el("th", {}, "heard"),
      el("th", { class: "number" }, "times"))),
    el("tbody", {}, ...rows.map(([said, heard, count]) =>
      el("tr", { class: "link", tabindex: 0, title,
        onclick: () => onpick(said, heard),
        onkeydown: (event) => event.key === "Enter" && onpick(said, heard) },
        el("td", {}, show(said)), el("td", {}, show(heard)),
        el("td", { class: "number" }, `${count}`)))));
  section.replaceChildren(section.querySelector("h2"), el("div", { class: "scroll" }, table),
    ...(rows.length < kinds ? [el("p", { class: "quiet" },
      `The ${rows.length} most frequent of ${kinds} kinds.`)] : []));
}

// ---- utterances ---------------------------------------------------------

const ORDERS = {
  edits: (a, b) => b.edits - a.edits || rateOf(b) - rateOf(a),
  rate: (a, b) => rateOf(b) - rateOf(a) || b.edits - a.edits,
  confidence: (a, b) => (a.confidence ?? 2) - (b.confidence ?? 2),
  duration: (a, b) => (b.duration ?? 0) - (a.duration ?? 0),
  id: () => 0,
  behind: (a, b) => behind(b) - behind(a) || b.edits - a.edits,
};

function rateOf(utterance) {
  return utterance.edits ? utterance.edits / utterance.num_words : 0;
}

// What the other systems heard where they heard anything: [name, utterance].
function othersOf(utterance) {
  return data.systems
    .filter((each) => each !== system && each.byId.has(utterance.id))
    .map((each) => [each.name, each.byId.get(utterance.id)]);
}

const hypothesisOf = ({ pairs }) =>
  pairs.map(([, heard]) => heard).filter((heard) => heard !== null).join(" ");

function differs(utterance) {
  return othersOf(utterance)
    .some(([, other]) => hypothesisOf(other) !== hypothesisOf(utterance));
}

// How many errors it has more than the best of the others.
function behind(utterance) {
  return utterance.edits -
    Math.min(Infinity, ...othersOf(utterance).map(([, other]) => other.edits));
}

function passes(utterance) {
  if (filter.speaker && (utterance.speaker ?? "(not known)") !== filter.speaker) return false;
  if (filter.kind === "wrong" && utterance.edits === 0) return false;
  if (filter.kind === "right" && utterance.edits > 0) return false;
  if (filter.kind === "differs" && !differs(utterance)) return false;
  if ("SDI".includes(filter.kind) && filter.kind &&
    !utterance.pairs.some((pair) => kindOf(pair) === filter.kind)) return false;
  if (filter.pair && !utterance.pairs.some((pair) => JSON.stringify(pair) === filter.pair)) {
    return false;
  }
  return filter.text.toLowerCase().split(/\s+/).every((word) => utterance.searched.includes(word));
}

function refilter() {
  close();
  shown = system.utterances.filter(passes);
  shown.sort((a, b) => ORDERS[byId("order").value](a, b) || (a.id < b.id ? -1 : 1));
  drawn = 0;
  current = -1;
  byId("list").replaceChildren();
  drawMore();
  byId("shown").textContent = `${shown.length} of ${system.utterances.length}`;
  byId("pair").hidden = filter.pair === null;
  if (filter.pair) {
    const [said, heard] = JSON.parse(filter.pair);
    byId("pair").textContent = `Only where ${said ?? "nothing"} was taken for ${heard ?? "nothing"}.`;
  }
}

function drawMore() {
  const next = shown.slice(drawn, drawn + CHUNK);
  byId("list").append(...next.map((utterance, index) => makeRow(utterance, drawn + index)));
  drawn += next.length;
}

function makeRow(utterance, index) {
  const facts = [
    utterance.duration === null ? null : `${utterance.duration.toFixed(1)} s`,
    utterance.confidence === null ? null : `confidence ${utterance.confidence.toFixed(2)}`,
  ].filter((fact) => fact !== null).join(", ");
  // Names may be written from right to left; nothing around them is.
  const speaker = utterance.speaker === null ? null : makeName(utterance.speaker);
  return el("li", { "data-index": index },
    el("button", { class: "row", type: "button", "aria-expanded": "false",
      onclick: () => { select(index); toggle(); } },
      el("span", { class: "meta" },
        el("b", {}, `${utterance.edits} of ${utterance.num_words}`),
        utterance.media === null ? " " : " ♪ ", el("bdi", {}, highlight(utterance.id)), el("br"),
        speaker, speaker && facts ? ", " : "", facts),
      el("span", { class: "text", dir: "auto" }, ...utterance.pairs.map(makePair))));
}

// Speakers of some corpora have names of 128 characters.
function makeName(name) {
  return el("bdi", { class: "name", title: name }, name);
}

function makePair(pair) {
  const [said, heard] = pair;
  const kind = kindOf(pair);
  if (kind === "C") return el("span", {}, highlight(said));
  return el("span", { class: kind },
    said === null ? null : el("del", {}, highlight(said)),
    heard === null ? null : el("ins", {}, highlight(heard)));
}

function highlight(text) {
  const sought = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = sought.some((word) => text.toLowerCase().includes(word));
  return found ? el("mark", {}, text) : text;
}

const rowAt = (index) => byId("list").children[index];

function select(index) {
  if (shown.length === 0) return;
  index = Math.max(0, Math.min(index, shown.length - 1));
  while (drawn <= index) drawMore();
  if (index !== current) close();
  rowAt(current)?.classList.remove("current");
  current = index;
  rowAt(current).classList.add("current");
  const bars = document.querySelector("header").offsetHeight + byId("filters").offsetHeight;
  byId("list").style.setProperty("--bars", `${bars}px`); // they float above the rows
  rowAt(current).scrollIntoView({ block: "nearest" });
  rowAt(current).firstElementChild.focus({ preventScroll: true });
}

// The row that keys are meant for: the one in focus, wherever Tab has led.
function focused() {
  const row = document.activeElement.closest("#list > li");
  return row === null ? current : Number(row.dataset.index);
}

function close() {
  if (player === null) return;
  player.stop();
  player.detail.previousElementSibling.setAttribute("aria-expanded", "false");
  player.detail.remove();
  player = null;
}

function toggle() {
  if (player !== null) return close();
  if (current < 0) return;
  player = makePlayer(shown[current]);
  rowAt(current).append(player.detail);
  rowAt(current).firstElementChild.setAttribute("aria-expanded", "true");
  player.start();
  rowAt(current).scrollIntoView({ block: "nearest" });
}

// ---- sound, spectrogram and posteriors ----------------------------------

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

// Chromium loses a short FLAC file when it is sought in; not so a WAV file.
async function toWav(flac) {
  const rate = 16000;
  const decoded = await new OfflineAudioContext(1, 1, rate)
    .decodeAudioData(bytesOf(flac).buffer);
  const samples = Int16Array.from(decoded.getChannelData(0), (value) =>
    Math.max(-32768, Math.min(32767, Math.round(32768 * value))));
  const header = new DataView(new ArrayBuffer(44));
  const size = samples.byteLength;
  for (const [at, name] of [[0, "RIFF"], [8, "WAVE"], [12, "fmt "], [36, "data"]]) {
    [...name].forEach((letter, index) => header.setUint8(at + index, letter.charCodeAt(0)));
  }
  // Sizes and rates in bytes; then: PCM, mono, bytes and bits of a sample.
  for (const [at, value] of [[4, 36 + size], [16, 16], [24, rate], [28, 2 * rate], [40, size]]) {
    header.setUint32(at, value, true);
  }
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) header.setUint16(at, value, true);
  return URL.createObjectURL(new Blob([header, samples], { type: "audio/wav" }));
}

function makePlayer(utterance) {
  const detail = el("div", { class: "detail" });
  const recording = utterance.media === null ? null : data.recordings[utterance.media];
  const why = (reason) => el("p", { class: "quiet" }, reason);
  const audio = recording || utterance.audio ? el("audio", { controls: "",
    preload: "metadata", src: recording ? null : utterance.audio,
    onerror: () => audio.replaceWith(why(recording ? "This browser cannot play FLAC." :
      `No sound can be loaded from ${utterance.audio}`)) }) : null;
  const loaded = recording ? toWav(recording.flac)
    .catch(() => `data:audio/flac;base64,${recording.flac}`)
    .then((url) => { audio.src = url; }) : Promise.resolve();
  detail.append(...othersOf(utterance).map(([name, other]) =>
    el("div", { class: "other" },
      el("span", { class: "meta" }, el("b", {}, `${other.edits} of ${other.num_words}`), " ",
        el("bdi", {}, name)),
      el("span", { class: "text", dir: "auto" }, ...other.pairs.map(makePair)))));
  detail.append(audio ?? why(utterance.why_silent ?? data.why_silent));
  // A linked file may hold more than the utterance.
  const start = recording ? 0 : utterance.offset ?? 0;
  const seconds = recording?.seconds ?? utterance.duration;
  const stage = el("div", { class: "stage" });
  const head = el("div", { class: "playhead" });
  const canvases = [];
  const panel = (name, height, draw) => {
    const canvas = el("canvas", { height });
    stage.append(el("div", { class: "panel-name" }, name), canvas);
    canvases.push(() => draw(canvas));
  };
  if (recording) panel("log-mel spectrogram, 0 to 8 kHz", 160, (canvas) => drawMel(canvas, recording.mel));
  if (utterance.posteriors) {
    panel("CTC posteriors, 0 to 1 (grey: blank, ·: space)", 130, (canvas) => drawPosteriors(canvas, utterance.posteriors, seconds));
  }
  if (utterance.words.length > 0 && seconds) {
    stage.append(el("div", { class: "panel-name" }, "words heard"),
      el("div", { class: "spans" }, ...utterance.words.map((word) =>
        el("span", { style: `left: ${(100 * word.start) / seconds}%; ` +
          `width: ${(100 * (word.end - word.start)) / seconds}%; ` +
          `opacity: ${0.35 + 0.65 * (word.confidence ?? 1)}`,
          title: `${word.start.toFixed(2)}-${word.end.toFixed(2)} s, ` +
            `confidence ${word.confidence?.toFixed(2) ?? "not known"}` }, word.text))));
  }
  if (audio && stage.childElementCount) {
    stage.append(head);
    stage.addEventListener("click", (event) => {
      const box = stage.getBoundingClientRect();
      audio.currentTime = start + (seconds * (event.clientX - box.left)) / box.width;
    });
  }
  detail.append(stage);
  let frame = 0;
  let isOpen = true;
  const follow = () => {
    if (audio && seconds) {
      const at = Math.max(0, Math.min(audio.currentTime - start, seconds));
      head.style.left = `${(100 * at) / seconds}%`;
    }
    frame = requestAnimationFrame(follow);
  };
  return {
    detail,
    draw: () => canvases.forEach((draw) => draw()),
    start() { this.draw(); follow(); },
    stop() {
      isOpen = false;
      cancelAnimationFrame(frame);
      audio?.pause();
      loaded.then(() => {
        if (!recording) return;
        const { src } = audio;
        audio.removeAttribute("src"); // else it may still be loading what is gone
        audio.load();
        URL.revokeObjectURL(src);
      });
    },
    play() {
      if (!audio) return;
      if (!audio.paused) return audio.pause();
      if (seconds && audio.currentTime >= start + seconds) audio.currentTime = start;
      loaded.then(() => isOpen && audio.play()).catch(() => {}); // onerror tells why
    },
  };
}

const isDark = () => getComputedStyle(document.documentElement).colorScheme === "dark" ||
  (document.documentElement.dataset.theme !== "light" &&
    matchMedia("(prefers-color-scheme: dark)").matches);

function drawMel(canvas, mel) {
  const values = bytesOf(mel.values);
  canvas.width = mel.frames;
  canvas.height = mel.bins;
  canvas.style.height = "160px";
  const context = canvas.getContext("2d");
  const image = context.createImageData(mel.frames, mel.bins);
  const dark = isDark();
  for (let frame = 0; frame < mel.frames; frame++) {
    for (let bin = 0; bin < mel.bins; bin++) {
      const value = values[frame * mel.bins + bin];
      const at = 4 * ((mel.bins - 1 - bin) * mel.frames + frame);
      const shade = dark ? value : 255 - value;
      image.data.set([shade, shade, Math.min(255, shade + (dark ? 25 : 5)), 255], at);
    }
  }
  context.putImageData(image, 0, 0);
}

const TOKEN_COLORS = ["--accent", "--S", "--I", "--good", "--D", "--ink"];

function drawPosteriors(canvas, posteriors, seconds) {
  const values = bytesOf(posteriors.values);
  const { frames, tokens } = posteriors;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth || 900, 130];
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name);
  const probe = el("span");
  document.body.append(probe);
  const resolved = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
  const x = (frame) => (width * (frame + 0.5) * posteriors.seconds_per_frame) / seconds;
  const y = (value) => height - 4 - ((height - 24) * value) / 255;
  tokens.forEach((token, index) => {
    const isBlank = token === null;
    context.strokeStyle = resolved(isBlank ? "--line" : TOKEN_COLORS[index % TOKEN_COLORS.length]);
    context.fillStyle = context.strokeStyle;
    context.lineWidth = isBlank ? 1 : 1.5;
    context.beginPath();
    for (let frame = 0; frame < frames; frame++) {
      context.lineTo(x(frame), y(values[index * frames + frame]));
    }
    context.stroke();
    if (isBlank) return;
    context.font = "12px system-ui";
    context.textAlign = "center";
    for (let frame = 0; frame < frames; frame++) {
      const here = values[index * frames + frame];
      const before = frame ? values[index * frames + frame - 1] : 0;
      const after = frame + 1 < frames ? values[index * frames + frame + 1] : 0;
      if (here >= 77 && here > before && here >= after) {
        context.fillText(token === " " ? "·" : token, x(frame), y(here) - 4);
      }
    }
  });
  probe.remove();
}

// ---- several systems ----------------------------------------------------

function drawComparison() {
  const { comparisons } = data;
  byId("comparison").hidden = data.systems.length < 2;
  if (data.systems.length < 2) return;
  const signed = (rate) => `${rate >= 0 ? "+" : ""}${(100 * rate).toFixed(2)}`;
  // The first that was named is what the others are held against.
  const baseline = data.systems[0];
  const against = (each) => {
    if (each === baseline) return "baseline";
    const found = comparisons.find(({ first, second }) =>
      first === baseline.name && second === each.name);
    return found === undefined ? "" :
      `${signed(found.difference)} [${signed(found.low)}, ${signed(found.high)}]`;
  };
  const columns = [
    ["system", (each) => each.name],
    ["WER %", (each) => percent(each.summary.words.rate)],
    ["95 % interval", (each) => interval(each.summary.words)],
    ["less the baseline", against],
    ["CER %", (each) => percent(each.summary.characters.rate)],
    ["utterances", (each) => `${each.summary.num_utterances}`],
  ];
  const table = el("table", { class: "systems" },
    el("thead", {}, el("tr", {}, ...columns.map(([name]) => el("th", {}, name)))),
    el("tbody", {}, ...data.systems.map((each) =>
      el("tr", {}, ...columns.map(([name, show]) =>
        el("td", { "data-name": name }, show(each)))))));
  const lines = comparisons.map((pair) =>
    el("li", {}, `${pair.second} less ${pair.first}: ${signed(pair.difference)} points ` +
      `[${signed(pair.low)}, ${signed(pair.high)}], matched pairs ` +
      (pair.p === null ? "not testable" : `p = ${pair.p.toPrecision(2)}`) +
      (comparisons.length > 1 && pair.p !== null ? " by Holm" : "")));
  byId("comparison").replaceChildren(el("h2", {}, "Systems"),
    el("div", { class: "scroll" }, table),
    comparisons.length ? el("ul", {}, ...lines) :
      el("p", { class: "quiet" }, data.why_not_compared));
}

// A table of [name, value, ...], of which texts may be long.
function drawFacts(heads, rows) {
  return el("table", { class: "facts" },
    heads.length ? el("thead", {}, el("tr", {}, ...heads.map((name) => el("th", {}, name)))) : null,
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((text) => el("td", {}, text))))));
}

function drawAbout() {
  const folded = (title, ...content) =>
    el("details", {}, el("summary", {}, title), ...content);
  const part = (title, rows) => rows.length === 0 ? [] :
    [el("div", {}, el("h3", {}, title), drawFacts([], rows))];
  const { unusual, config, description } = system;
  byId("about").replaceChildren(byId("about").querySelector("h2"),
    el("p", {}, `Results: ${system.path}`),
    el("div", { class: "columns" },
      ...part("Training", system.training), ...part("Decoder", system.decoding)),
    ...(config === null ? [] : [
      ...(unusual.length === 0 ? [] : [el("h3", {}, "Options that are not the defaults"),
        el("div", { class: "scroll" }, drawFacts(["option", "is", "by default"], unusual))]),
      folded("Configuration of the run", el("pre", {}, config))]),
    ...(description ? [folded("What evaluate wrote beside the results",
      el("pre", {}, JSON.stringify(description, null, 2)))] : []));
}

// ---- the page -----------------------------------------------------------

function drawSystem(chosen) {
  system = chosen;
  for (const utterance of system.utterances) {
    utterance.searched ??= [utterance.id, ...utterance.pairs.flat()]
      .filter((word) => word !== null).join(" ").toLowerCase();
  }
  byId("systems").replaceChildren(...(data.systems.length < 2 ? [] : data.systems.map((each) =>
    el("button", { "aria-pressed": `${each === system}`, onclick: () => drawSystem(each) },
      each.name))));
  const { summary } = system;
  byId("speaker").replaceChildren(el("option", { value: "" }, "all speakers"),
    ...Object.keys(summary.by_speaker).map((name) => el("option", { value: name }, name)));
  byId("speaker").hidden = Object.keys(summary.by_speaker).length < 2;
  drawSummary();
  const worstFirst = Object.entries(summary.by_speaker)
    .sort(([, a], [, b]) => (b.rate ?? Infinity) - (a.rate ?? Infinity));
  drawRates(byId("speakers"), worstFirst, ["speaker", "WER %"], (name) => {
    filter.speaker = byId("speaker").value = name;
    refilter();
    byId("utterances").scrollIntoView();
  });
  drawRates(byId("lengths"), Object.entries(summary.by_length), ["length", "WER %"]);
  drawFrequencies();
  drawRates(byId("levels"), Object.entries(system.by_level), ["dBFS", "WER %"]);
  drawRates(byId("paces"), Object.entries(system.by_pace), ["characters/s", "WER %"]);
  drawLearning();
  drawCalibration();
  drawConfusions();
  drawCharacters();
  drawAbout();
  clearFilters();
}

function clearFilters() {
  Object.assign(filter, NO_FILTER);
  byId("search").value = byId("speaker").value = byId("kind").value = "";
  refilter();
}

function setTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  player?.draw();
}

byId("search").addEventListener("input", (event) => { filter.text = event.target.value.trim(); refilter(); });
byId("speaker").addEventListener("change", (event) => { filter.speaker = event.target.value; refilter(); });
byId("kind").addEventListener("change", (event) => { filter.kind = event.target.value; refilter(); });
byId("order").addEventListener("change", refilter);
byId("clear").addEventListener("click", clearFilters);
byId("theme").addEventListener("click", setTheme);
byId("help-button").addEventListener("click", () => byId("help").showModal());
addEventListener("scroll", () => {
  if (innerHeight + scrollY > document.body.scrollHeight - 1500) drawMore();
}, { passive: true });

const KEYS = {
  j: () => select(focused() + 1),
  k: () => select(focused() - 1),
  Enter: () => { if (focused() >= 0) select(focused()); toggle(); },
  " ": () => {
    if (focused() >= 0) select(focused());
    if (player === null) toggle();
    player?.play();
  },
  "/": () => byId("search").focus(),
  t: setTheme,
  "?": () => byId("help").showModal(),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  if (event.key === "Escape") {
    clearFilters();
    document.activeElement.blur();
  } else if (/^(INPUT|SELECT|TEXTAREA|AUDIO)$/.test(event.target.tagName)) {
    return;
  } else if (event.key in KEYS) {
    // A focused button answers to Enter and Space itself, unless it is a row.
    const isButton = event.target.closest("button:not(.row), tr.link, summary");
    if (isButton && (event.key === "Enter" || event.key === " ")) return;
    event.preventDefault();
    KEYS[event.key]();
  }
});

if (data.systems.length < 2) {
  document.querySelectorAll(".among-several").forEach((option) => option.remove());
}
drawComparison();
drawSystem(system);
