// What the scripts of all pages share: texts in the reader's language, the server, and finding things on the page.
//
// The texts of one language stand in the page's head (arena/ui/page.py). Markup names them: <b data-t="arena.next"></b>
// gets that text, data-t-label the same for aria-label, data-t-placeholder for placeholder.
"use strict";
const bakeoff = (() => {
  const texts = JSON.parse(document.getElementById("bakeoff-texts").textContent);
  const language = document.documentElement.lang || "en";
  const plural = new Intl.PluralRules(language);
  const PATIENCE_MS = 20_000;
  const PAUSE_SECONDS = 30;

  /** The text of a key, its braces filled; with `n` the form that goes with this number. */
  function t(key, values = {}) {
    const text = texts[key] ?? texts[`${key}.${plural.select(values.n)}`] ?? texts[`${key}.other`];
    if (text === undefined) throw new Error(`there is no text ${key}`);
    return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name]));
  }

  /** Whether there is such a text. */
  function knows(key) {
    return key in texts;
  }

  /** A number as the reader writes it. */
  function number(value, options = {}) {
    return value.toLocaleString(language, options);
  }

  function isTag(language) {
    return /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(language ?? "");
  }

  /** The name of a language in the reader's own; what is no tag of one stays as it is. */
  function nameOf(tag) {
    try {
      return isTag(tag) ? new Intl.DisplayNames([language], { type: "language" }).of(tag) : tag;
    } catch {
      return tag;
    }
  }

  /** A verdict in words; with the step of the bar where it was one. */
  function verdict({ verdict, step }) {
    return t(step ? `step.${step}` : `verdict.${verdict}`);
  }

  /** Put the texts that the markup names into it. */
  function fill(root) {
    for (const element of [root, ...root.querySelectorAll("[data-t]")]) {
      if (element.dataset.t) element.textContent = t(element.dataset.t);
    }
    for (const [name, attribute] of [["tLabel", "aria-label"], ["tPlaceholder", "placeholder"], ["tTitle", "title"]]) {
      const marked = `[data-${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}]`;
      for (const element of root.querySelectorAll(marked)) element.setAttribute(attribute, t(element.dataset[name]));
    }
  }

  /** What a refusal says, in the reader's language where we have it. */
  function refused({ error, message, ...values }) {
    return knows(`refusal.${error}`) ? t(`refusal.${error}`, values) : message;
  }

  function post(path, body) {
    return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  function get(path) {
    return ask(path, {});
  }

  /** JSON from the server. Never throws: status 0 means that no answer came. */
  async function ask(path, { headers = {}, ...request }) {
    try {
      const response = await fetch(path, {
        ...request,
        headers: { Accept: "application/json", ...headers },
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (response.status === 429) return limited(response);
      return { status: response.status, data: response.status === 204 ? {} : await response.json() };
    } catch {
      return { status: 0, data: {} };
    }
  }

  /**
   * Whether keys that write a character act on the page: in this browser, until the voter says otherwise. Who speaks to
   * the computer, or presses keys unmeant, can switch them off; Enter, Escape, arrows and Ctrl+Z stay.
   */
  const letters = (() => {
    const KEY = "bakeoff-letters";
    let isOff = false;
    const take = (value) => {
      isOff = value === "off";
      document.documentElement.dataset.letters = isOff ? "off" : "on";
    };
    const setOff = (wanted) => {
      take(wanted ? "off" : null);
      keep(() => (wanted ? localStorage.setItem(KEY, "off") : localStorage.removeItem(KEY)));
    };
    take(keep(() => localStorage.getItem(KEY)));
    addEventListener("storage", ({ key, newValue }) => key === KEY && take(newValue)); // another tab
    return { areOff: () => isOff, setOff };
  })();

  /** What the browser keeps for us; where it keeps nothing, a choice holds for the page that is open. */
  function keep(use) {
    try {
      return use();
    } catch {
      return null;
    }
  }

  /** Whoever stands before the server, a proxy or a Space, may ask for a pause, in whatever format. */
  function limited(response) {
    const seconds = Math.ceil(Number(response.headers.get("Retry-After"))) || PAUSE_SECONDS;
    return { status: response.status, data: { error: "rate_limited", seconds } };
  }

  /** Whether a key is meant for the page: not for a field, a dialog or the browser, and not held down. */
  function isForPage(event, { shift = false } = {}) {
    if (event.defaultPrevented || event.repeat || event.isComposing) return false;
    if (event.key.length === 1 && letters.areOff()) return false;
    if (event.ctrlKey || event.altKey || event.metaKey || (event.shiftKey && !shift)) return false;
    return !isField(event.target) && !one("dialog[open]");
  }

  function isField(at) {
    return at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
  }

  /** The element, once it is on the page. */
  function present(selector) {
    return new Promise((resolve) => {
      const look = () => document.querySelector(selector);
      if (look()) return resolve(look());
      const observer = new MutationObserver(() => {
        if (!look()) return;
        observer.disconnect();
        resolve(look());
      });
      observer.observe(document.documentElement, { childList: true, subtree: true });
    });
  }

  function one(selector, within = document) {
    return within.querySelector(selector);
  }

  function all(selector, within = document) {
    return within.querySelectorAll(selector);
  }

  // Wide code and tables scroll by themselves: then, and only then, Tab stops at them, so that keys can scroll them.
  const reach = new ResizeObserver((entries) => {
    for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
  });
  new MutationObserver(() => {
    for (const wide of all(".text :is(pre, .scroll):not([tabindex])")) {
      wide.tabIndex = -1;
      reach.observe(wide);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  // Gradio writes the browser's language there, even where it is not the one of the page's texts.
  new MutationObserver(() => {
    if (document.documentElement.lang !== language) document.documentElement.lang = language;
  }).observe(document.documentElement, { attributeFilter: ["lang"] });

  // The header, and a page without a script of its own: of a page that comes slowly, what stands below the header as well,
  // once all of it is there and before any other script has changed it.
  present("header.top").then((header) => {
    fill(header.parentElement);
    if (document.readyState === "loading") document.addEventListener("readystatechange", () => fill(header.parentElement), { once: true });
  });

  return { t, knows, number, isTag, nameOf, verdict, fill, refused, post, get, isForPage, isField, letters, present, one, all, language };
})();
