// How a page is laid out, as figures: what a test wants to know of its picture without the picture. An expression.
(() => {
  const box = node => { const r = node.getBoundingClientRect(); return {left: r.left, top: r.top + scrollY, right: r.right, bottom: r.bottom + scrollY, width: r.width, height: r.height}; };
  const luminance = text => {
    const [r, g, b] = text.match(/[\d.]+/g).slice(0, 3).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const ground = node => {
    for (let n = node; n; n = n.parentElement) { const c = getComputedStyle(n).backgroundColor; if (!/, 0\)$/.test(c)) return c; }
    return 'rgb(255, 255, 255)';
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.textContent.trim()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter(r => r.width > 0).map(r => ({left: r.left, top: r.top + scrollY, right: r.right, bottom: r.bottom + scrollY}));
    if (!lines.length) continue;
    const style = getComputedStyle(node.parentElement);
    const [ink, paper] = [luminance(style.color), luminance(ground(node.parentElement))];
    texts.push({text: node.textContent.trim(), lines, size: parseFloat(style.fontSize), ink, paper, lang: node.parentElement.closest('[lang]').lang,
                contrast: contrast(ink, paper)});
  }
  const overlap = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  // Paragraphs that are longer than a line: how many columns (an ideograph is two) a full line holds.
  const measures = [...document.querySelectorAll('main p')].map(p => {
    const height = parseFloat(getComputedStyle(p).lineHeight), lines = Math.round(p.clientHeight / height);
    const columns = [...p.textContent.trim()].reduce((n, c) => n + (c >= '\u1100' ? 2 : 1), 0);
    return lines > 1 ? columns / (lines - 0.5) : 0;
  }).filter(n => n);
  const sheet = document.querySelector('.sheet');
  const inline = a => a.closest('p:not(.ways), li, .quiet, .note, .intro') && !a.classList.contains('way') && !a.closest('.issues');
  // Draws each character beside one that no font has: where they look the same, the page shows a box.
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const draw = c => { canvas.clearRect(0, 0, 40, 40); canvas.fillText(c, 4, 30); return canvas.getImageData(0, 0, 40, 40).data.join(); };
  canvas.canvas.width = canvas.canvas.height = 40;
  canvas.font = '24px ' + getComputedStyle(document.body).fontFamily;
  const none = draw('\u{10FFFE}'), unknown = draw('\u0378');
  const tofu = [...new Set(document.body.innerText)].filter(c => c > '\u2E80' && [none, unknown].includes(draw(c)));
  return {
    width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight, viewport: innerWidth,
    h1: box(document.querySelector('h1')), sheet: box(sheet), texts, measures, tofu,
    items: [...document.querySelectorAll('article.item')].map(item => {
      const thumb = item.querySelector('img.thumb'), title = item.querySelector('.title');
      return {box: box(item), title: box(title), text: title.textContent, thumb: thumb && box(thumb), alt: thumb && thumb.alt, loaded: thumb && thumb.naturalWidth > 0,
              altContrast: thumb && contrast(luminance(getComputedStyle(thumb).color), luminance(ground(thumb))),
              over: thumb ? texts.filter(t => t.lines.some(l => overlap(l, box(thumb)))).map(t => t.text) : []};
    }),
    targets: [...document.querySelectorAll('a[href]')].filter(a => !inline(a)).map(a => { const r = [...a.getClientRects()].reduce((m, r) => Math.max(m, r.height), 0);
      return {text: a.textContent, height: r}; }),
  };
})()
