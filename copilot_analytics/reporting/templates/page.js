// Makes tables sortable, searchable and short. Without it a page shows all rows as they are.
"use strict";

function cellKey(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  return cell.classList.contains("number") ? null : cell.textContent;
}

function compare(a, b, direction) {
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
  return order * direction;
}

function sortable(table, refresh) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.className = "sort";
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const isNumber = head.classList.contains("number");
      const current = head.getAttribute("aria-sort");
      const first = isNumber ? "descending" : "ascending";
      const other = isNumber ? "ascending" : "descending";
      const next = current === first ? other : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", next);
      const direction = next === "ascending" ? 1 : -1;
      const rows = [...body.rows];
      rows.sort((a, b) => compare(cellKey(a, column), cellKey(b, column), direction));
      body.append(...rows);
      refresh();
    });
  });
}

function tools(table, limit, state, refresh) {
  const total = table.tBodies[0].rows.length;
  const box = document.createElement("div");
  box.className = "table-tools";
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Search";
  search.setAttribute("aria-label", "Search in this table");
  search.addEventListener("input", () => {
    state.words = search.value.trim().toLowerCase();
    refresh();
  });
  box.append(search);
  if (total > limit) {
    const all = document.createElement("button");
    all.type = "button";
    all.textContent = `Show all ${total} rows`;
    all.addEventListener("click", () => {
      state.isOpen = !state.isOpen;
      all.textContent = state.isOpen ? `Show first ${limit} rows` : `Show all ${total} rows`;
      refresh();
    });
    box.append(all);
  }
  state.note = document.createElement("output");
  box.append(state.note);
  table.parentNode.after(box);
}

function prepare(table) {
  const body = table.tBodies[0];
  const limit = Number(table.dataset.rows) || 20;
  const state = { words: "", isOpen: false, note: null };
  const refresh = () => {
    let found = 0;
    for (const row of body.rows) {
      const matches = !state.words || row.textContent.toLowerCase().includes(state.words);
      row.hidden = !matches || (!state.isOpen && found >= limit);
      found += matches;
    }
    if (state.note) {
      const shown = state.isOpen ? found : Math.min(found, limit);
      state.note.textContent = `${shown} of ${body.rows.length} rows`;
    }
  };
  sortable(table, refresh);
  if (body.rows.length > 10) tools(table, limit, state, refresh);
  refresh();
}

document.querySelectorAll("table.data").forEach(prepare);
