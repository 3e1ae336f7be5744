// What a page made of hostile items may not hold, and what must still be there. An expression: a function of what is expected.
(wanted => {
  const faults = [];
  const fault = (what, node) => faults.push(what + ': ' + (node ? (node.outerHTML || node.textContent || '').slice(0, 240) : ''));
  const root = document.querySelector(wanted.root || 'main') || document.body;

  // ---- what acts, loads or asks
  const elements = new Set(('a abbr acronym address article aside audio b bdi bdo big blockquote br caption center cite code col colgroup dd del details ' +
    'dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main map area mark menu nav ol p picture pre q ' +
    'rb rp rt rtc ruby s samp section small source span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var video wbr').split(' '));
  const banned = new Set(('id name is slot part target download ping srcdoc formaction action form method background dynsrc lowsrc longdesc nonce integrity ' +
    'contenteditable draggable popover popovertarget autofocus tabindex accesskey itemscope attributionsrc role hidden inert http-equiv manifest profile').split(' '));
  const addresses = new Set('href src cite poster action formaction data background xlink:href ping srcset'.split(' '));
  for (const node of root.querySelectorAll('*')) {
    if (node.namespaceURI !== 'http://www.w3.org/1999/xhtml' || !elements.has(node.localName)) fault('element', node);
    if (node.shadowRoot) fault('shadow root', node);
    for (const {name, value} of node.attributes) {
      if (name.startsWith('on') || name.startsWith('aria-') || banned.has(name) && !(name === 'name' && /^(a|map)$/.test(node.localName))) fault('attribute ' + name, node);
      if (!addresses.has(name)) continue;
      for (const one of name === 'srcset' ? value.split(/,\s+/).map(c => c.trim().split(/\s+/)[0]) : [value]) {
        let scheme = 'none';
        try { scheme = new URL(one, location).protocol; } catch (e) { scheme = 'none'; }
        const picture = node.localName === 'img' && /^data:image\/(?!svg)/i.test(one);
        if (!picture && !['http:', 'https:', 'mailto:', 'tel:', 'feed:', 'none'].includes(scheme)) fault('address ' + one.slice(0, 80), node);
        if (/^feed:[^/]/i.test(one)) fault('address ' + one.slice(0, 80), node);
      }
    }
    const style = getComputedStyle(node);
    if (style.position && style.position !== 'static') fault('position ' + style.position, node);
    for (const property of ['backgroundImage', 'listStyleImage', 'borderImageSource', 'maskImage', 'filter', 'transform', 'content', 'animationName'])
      if (!/^(none|normal|auto)?$/.test(style[property])) fault(property + ' ' + style[property], node);
    if (/url/.test(style.cursor)) fault('cursor', node);
  }
  for (const node of document.querySelectorAll('body script, iframe, frame, object, embed, form, input, button, textarea, select, svg, math, template, base, ' +
    'body link, body meta, body title, meta[http-equiv], head script')) fault('element', node);

  // ---- the DOM's own names
  const own = {body: HTMLBodyElement, head: HTMLHeadElement, documentElement: HTMLHtmlElement, forms: HTMLCollection, images: HTMLCollection, links: HTMLCollection,
    scripts: HTMLCollection, implementation: DOMImplementation, location: Location, getElementById: Function, createElement: Function, querySelector: Function};
  for (const [name, kind] of Object.entries(own)) if (!(document[name] instanceof kind)) fault('document.' + name + ' is another', document.body);
  if (typeof document.cookie !== 'string' || typeof document.title !== 'string' || document.defaultView !== window) fault('document is another');
  if (document.doctype === null || document.compatMode !== 'CSS1Compat') fault('quirks');

  // ---- nothing is wider than the page
  if (document.documentElement.scrollWidth > innerWidth || document.body.scrollWidth > innerWidth) {
    fault('wide ' + document.documentElement.scrollWidth + ' ' + document.body.scrollWidth);
    for (const node of root.querySelectorAll('*')) {
      const box = node.getBoundingClientRect();
      if (faults.length < 40 && (box.right > innerWidth + 1 || box.left < -1)) fault('  ' + Math.round(box.left) + '-' + Math.round(box.right), node);
    }
  }

  // ---- the others are where and what they were
  const found = [...document.querySelectorAll(wanted.title || '.title')].filter(t => /^Sentinel \d+$/.test((t.querySelector('a') || t).textContent.trim()));
  const numbers = found.map(t => +t.textContent.match(/\d+/)[0]);
  if (numbers.join() !== wanted.sentinels.join()) fault('sentinels ' + numbers.join() + ' instead of ' + wanted.sentinels.join());
  for (const title of wanted.layout === false ? [] : found) {
    const item = title.closest('article.item');
    if (!item || item.parentElement !== root) { fault('not an item of its own', title.parentElement); continue; }
    const link = title.querySelector('a');
    if (!link || link.getAttribute('href').split('?')[0] !== 'https://ok.example/' + title.textContent.match(/\d+/)[0]) fault('its link is another', title);
    for (const node of [link, item.querySelector('.description'), item.querySelector('.note')]) {
      if (!node) continue;
      node.scrollIntoView({block: 'center', behavior: 'instant'});
      const box = node.getClientRects()[0];
      const over = box && document.elementFromPoint(box.left + Math.min(box.width, 40) / 2, box.top + box.height / 2);
      if (!over || !item.contains(over)) fault('covered by ' + (over ? over.outerHTML.slice(0, 200) : 'nothing'), node);
      const style = getComputedStyle(node);
      if (style.visibility !== 'visible' || style.opacity !== '1' || parseFloat(style.fontSize) < 12 || style.direction !== 'ltr') fault('not readable', node);
    }
    if (item.querySelector('b, i, u, s, code, small, font, big, blockquote')) fault('something is open around it', item);
    for (let n = item.parentElement; n; n = n.parentElement) if (/^(A|B|I|U|FONT|TABLE|PRE|CODE|DETAILS|S)$/.test(n.tagName)) fault('it is inside something', n);
  }
  if (wanted.footer !== false) {
    const footer = document.querySelector('.sheet > footer:last-of-type');
    if (!footer || !/KNS/.test(footer.textContent)) fault('the footer is gone');
    else {
      footer.scrollIntoView({block: 'center', behavior: 'instant'});
      const box = footer.querySelector('p').getBoundingClientRect();
      const over = document.elementFromPoint(box.left + 5, box.top + box.height / 2);
      if (!over || !footer.contains(over)) fault('the footer is covered', over);
    }
    if (document.querySelectorAll('main').length !== 1 || document.querySelectorAll('h1').length !== 1) fault('main or h1 is not alone');
  }
  return faults;
})
