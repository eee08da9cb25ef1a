"use strict";

// Filters the page as the form says. Without this script, the page shows everything. The script only reads the page.
(() => {
  const form = document.getElementById("filters");
  const table = document.getElementById("matrix");
  const heads = [...table.tHead.rows[0].cells].slice(1);
  const groups = [...table.tBodies];
  const rows = [...table.querySelectorAll("tbody tr:not(.group)")].map((row) => ({
    row,
    text: row.cells[0].textContent.toLowerCase(),
    cells: [...row.cells].slice(1),
  }));

  /** Returns whether a cell has findings of the chosen levels. With `fresh`, accepted findings do not count. */
  const counts = (cell, levels, fresh) =>
    ((fresh ? cell.dataset.fresh : cell.dataset.levels) ?? "").split(" ").some((level) => levels.has(level));

  const apply = () => {
    const chosen = new FormData(form);
    const words = chosen.get("text").toLowerCase().split(/\s+/).filter(Boolean);
    const levels = new Set(chosen.getAll("level"));
    const servers = new Set(chosen.getAll("server").map(Number));
    heads.forEach((head, index) => { head.hidden = !servers.has(index); });
    let shown = 0;
    for (const { row, text, cells } of rows) {
      let broken = false;
      cells.forEach((cell, index) => {
        cell.hidden = !servers.has(index);
        const found = counts(cell, levels, chosen.has("fresh"));
        cell.classList.toggle("quiet", "levels" in cell.dataset && !found);
        broken ||= found && !cell.hidden;
      });
      row.hidden = !(words.every((word) => text.includes(word)) && (broken || !chosen.has("broken")));
      shown += row.hidden ? 0 : 1;
    }
    for (const group of groups) {
      group.hidden = ![...group.rows].slice(1).some((row) => !row.hidden);
      group.rows[0].cells[1].colSpan = Math.max(servers.size, 1);
    }
    document.getElementById("shown").value = `${shown} of ${rows.length} rules`;
    document.getElementById("nothing").hidden = shown > 0;
  };

  /** Closes the open cell, and returns the focus to its summary. */
  const close = () => {
    for (const cell of table.querySelectorAll("details[open]")) {
      const held = cell.contains(document.activeElement);
      cell.open = false;
      if (held) cell.querySelector("summary").focus();
    }
  };

  /** Opens the finding that the address of the page names. */
  const follow = () => {
    const panel = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (panel?.matches(".panel")) panel.closest("details").open = true;
  };

  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  table.addEventListener("click", (event) => {
    if (event.target.matches(".close")) close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  for (const button of table.querySelectorAll(".close")) button.hidden = false;
  addEventListener("hashchange", follow);
  form.hidden = false;
  apply();
  follow();
})();
