// A choice among many that can be searched: the combobox pattern of the ARIA Authoring Practices, with a list.
"use strict";
import { element } from "./plot.js";

const { t } = bakeoff;
let made = 0;

/** options are { id, name }; choose(id) is called when one is picked. The root has `show(id)`, which picks in silence. */
export function combobox({ label, options, choose, empties = false }) {
  made += 1;
  const listId = `options-${made}`;
  const input = element("input", {
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    "aria-label": label,
    placeholder: t("study.search"),
  });
  const list = element("ul", { id: listId, role: "listbox", "aria-label": label, hidden: true });
  const root = element("span", { class: "combobox" }, input, list);
  let chosen = null;
  let offered = [];
  let active = -1;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const show = (id) => {
    chosen = options.find((option) => option.id === id) ?? null;
    input.value = chosen?.name ?? "";
    close();
  };
  const pick = (option) => {
    show(option.id);
    if (empties) show(null);
    choose(option.id);
  };
  const point = (index) => {
    active = index;
    [...list.children].forEach((item, k) => item.setAttribute("aria-selected", String(k === index)));
    const item = list.children[index];
    if (!item?.id) return;
    input.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  };
  const open = (text) => {
    const wanted = text.trim().toLocaleLowerCase();
    offered = options.filter(({ name, id }) => `${name}\n${id}`.toLocaleLowerCase().includes(wanted));
    list.replaceChildren(
      ...offered.map(({ name }, k) => element("li", { id: `${listId}-${k}`, role: "option", "aria-selected": "false" }, name)),
    );
    if (!offered.length) list.append(element("li", { class: "none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, t("study.no_match")));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    point(Math.max(offered.findIndex((option) => option === chosen), offered.length ? 0 : -1));
  };

  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => list.hidden && open(""));
  input.addEventListener("input", () => open(input.value));
  input.addEventListener("blur", () => show(chosen?.id ?? null));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return open("");
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (offered.length) point((active + step + offered.length) % offered.length);
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      if (offered[active]) pick(offered[active]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      show(chosen?.id ?? null);
    }
  });
  // Before the field loses the focus, and with it the list.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = offered[[...list.children].indexOf(event.target.closest("li"))];
    if (option) pick(option);
  });
  root.show = show;
  return root;
}
