// Sorting, filtering and switches of the report. Without JavaScript all of it is shown, in the order of the ranking.
"use strict";

document.documentElement.classList.add("js");
document.documentElement.dataset.axis = "images";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// --- sorting ---------------------------------------------------------------------------------------------------------

function key(row, place, kind) {
  const cell = row.cells[place];
  const text = cell.dataset.value ?? cell.textContent.trim();
  if (kind === "text") return text.toLowerCase();
  return text === "" ? NaN : Number(text);
}

// Rows without a value stay at the end, whichever way the others go.
function compare(one, other, sign) {
  if (typeof one === "string") return sign * one.localeCompare(other, "en", { numeric: true });
  if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
  return sign * (one - other);
}

function sort(head, place) {
  const table = head.closest("table");
  const descending = head.getAttribute("aria-sort") === "ascending";
  all("th[aria-sort]", table).forEach((each) => each.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [key(row, place, head.dataset.sort), row]);
  rows.sort(([one], [other]) => compare(one, other, descending ? -1 : 1));
  body.append(...rows.map(([, row]) => row));
}

// A table of two rows of heads has its leaves in both: those that span both rows come first.
function makeSortable(table) {
  const rows = [...table.tHead.rows];
  const leaves = rows.length === 1 ? [...rows[0].cells] : [...all("th[rowspan]", rows[0]), ...rows[1].cells];
  leaves.forEach((head, place) => {
    if (!head.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head, place));
    head.append(button);
  });
}

// --- filters ---------------------------------------------------------------------------------------------------------

function matches(element, filters) {
  const { label, dataset, state } = element.dataset;
  return (
    (label === undefined || label.toLowerCase().includes(filters.text)) &&
    (dataset === undefined || !filters.dataset || dataset === filters.dataset) &&
    (state === undefined || !filters.state || state === filters.state)
  );
}

function filter() {
  const value = (id) => document.getElementById(id)?.value ?? "";
  const filters = {
    text: value("filter-text").trim().toLowerCase(),
    dataset: value("filter-dataset"),
    state: value("filter-state"),
  };
  all("[data-label], [data-dataset], [data-state]").forEach((each) =>
    each.classList.toggle("filtered", !matches(each, filters)),
  );
  const shown = all(".runs tbody tr:not(.filtered)");
  const labels = new Set(shown.map((row) => row.dataset.label));
  document.getElementById("filter-status").textContent = `${labels.size} variants and ${shown.length} runs shown`;
}

// --- switches --------------------------------------------------------------------------------------------------------

function chooseAxis(axis) {
  document.documentElement.dataset.axis = axis;
  all("[data-axis-choice]").forEach((each) =>
    each.setAttribute("aria-pressed", String(each.dataset.axisChoice === axis)),
  );
}

function showColumns(box) {
  const table = document.getElementById(box.getAttribute("aria-controls"));
  table.classList.toggle(`without-${box.dataset.columns}`, !box.checked);
  all("th[data-of]", table).forEach((head) => {
    const left = head.dataset.of.split(" ").filter((part) => !table.classList.contains(`without-${part}`));
    head.hidden = left.length === 0;
    head.colSpan = Math.max(1, left.length);
  });
}

function showDifferences(box) {
  document.getElementById(box.getAttribute("aria-controls")).classList.toggle("only-differences", box.checked);
}

function point(label) {
  all(".series").forEach((each) => each.classList.toggle("dim", label !== null && each.dataset.label !== label));
}

// Before printing all folded parts are opened, and closed again afterwards.
function unfold() {
  all("details:not([open])").forEach((each) => {
    each.open = true;
    each.dataset.unfolded = "";
  });
}

function fold() {
  all("details[data-unfolded]").forEach((each) => {
    each.open = false;
    delete each.dataset.unfolded;
  });
}

// --- start -----------------------------------------------------------------------------------------------------------

document.addEventListener("DOMContentLoaded", () => {
  all("table.sortable").forEach(makeSortable);
  all("#filter-text, #filter-dataset, #filter-state").forEach((each) => each.addEventListener("input", filter));
  all("[data-axis-choice]").forEach((each) =>
    each.addEventListener("click", () => chooseAxis(each.dataset.axisChoice)),
  );
  all("[data-columns]").forEach((each) => {
    each.addEventListener("change", () => showColumns(each));
    showColumns(each); // a browser that goes back may have kept the switch
  });
  all("[data-differences]").forEach((each) => {
    each.addEventListener("change", () => showDifferences(each));
    showDifferences(each);
  });
  all(".legend li, .variants tbody tr").forEach((each) => {
    each.addEventListener("pointerenter", () => point(each.dataset.label));
    each.addEventListener("pointerleave", () => point(null));
  });
  window.addEventListener("beforeprint", unfold);
  window.addEventListener("afterprint", fold);
  window.matchMedia("print").addEventListener("change", (event) => (event.matches ? unfold() : fold()));
  filter();
});
