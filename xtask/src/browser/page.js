// What the DOM of the page is. The browser evaluates this; nothing of it is in the page.
(() => {
  const elements = [...document.querySelectorAll("*")];
  const names = (element) => element.getAttributeNames().map((name) => {
    // The policy, the language, classes and headings of columns are the program's own words.
    const own = name === "class" || name === "data-label" || name === "role";
    return own ? `${name}=${element.getAttribute(name)}` : name;
  });
  return JSON.stringify({
    title: document.title,
    text: document.documentElement.textContent,
    // The numbers in a picture depend on times only.
    shape: elements.map((element) => [element.localName, ...names(element)].join(" ")),
    pwned: window.__pwned !== undefined,
    width: document.scrollingElement.scrollWidth,
    window: window.innerWidth,
    background: getComputedStyle(document.body).backgroundColor,
    sheets: document.styleSheets.length,
  });
})()
