// Shows the pages that hold all the words asked for, those with the words in the title first.
const field = document.querySelector("input[name=q]");
const found = document.getElementById("found");
const results = document.getElementById("results");
const fold = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
const pages = PAGES.map((page) => ({ ...page, name: fold(page.title), all: fold(page.title + " " + page.text) }));

function excerpt(page, word) {
  const at = fold(page.text).indexOf(word);
  const start = page.text.lastIndexOf(" ", Math.max(0, at - 60)) + 1;
  return page.text.slice(start, page.text.indexOf(" ", start + 160) >>> 0);
}

function show() {
  const words = fold(field.value).split(/\s+/).filter(Boolean);
  if (!words.length) return;
  const rank = (page) => words.filter((word) => page.name.includes(word)).length;
  const fit = pages.filter((page) => words.every((word) => page.all.includes(word)));
  fit.sort((a, b) => rank(b) - rank(a) || a.order - b.order);
  found.textContent = `${fit.length || "No"} ${fit.length === 1 ? "page" : "pages"} with ${words.join(", ")}`;
  results.replaceChildren(
    ...fit.slice(0, 60).map((page) => {
      const entry = document.createElement("li");
      const link = document.createElement("a");
      const text = document.createElement("p");
      link.href = page.url;
      link.textContent = page.title;
      text.textContent = `${page.kind} · ${excerpt(page, words[0])}`;
      entry.append(link, text);
      return entry;
    }),
  );
}

field.value = new URLSearchParams(location.search).get("q") || "";
field.addEventListener("input", show);
show();
