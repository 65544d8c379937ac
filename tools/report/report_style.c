/* report_style.c - how the page looks, and the script that sorts its tables.
 *
 * Type of the system, one column, a light and a dark set of colours.  Pictures are drawn dark on
 * white; in the dark they are turned over (lightness, not hue).  On paper: no dark, no navigation.
 * Strings are short because C11 promises no more than 4095 characters in one.
 */
#include "report.h"

static const char *const style[] = {
    ":root{--paper:#fff;--ink:#1d2126;--soft:#5b6470;--line:#dfe3e8;--tint:#f5f7f9;--link:#0b5cad;",
    "--good:#1a7f45;--warn:#9a6200;--bad:#b3261e;color-scheme:light dark}\n",
    "@media screen and "
    "(prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e4e7eb;--soft:#9aa4b0;",
    "--line:#30363d;--tint:#1d2126;--link:#7db7f0;--good:#62c98b;--warn:#e0ae55;--bad:#f2877f}\n",
    ".card svg{filter:invert(.905) hue-rotate(180deg)}.card{background:#181818}}\n",
    "*{box-sizing:border-box}\n",
    "html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}\n",
    "body{margin:0 auto;padding:3rem 1.5rem 5rem;max-width:860px;background:var(--paper);",
    "color:var(--ink);font:17px/1.6 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',",
    "Arial,sans-serif;font-kerning:normal;text-rendering:optimizeLegibility}\n",
    "header{border-bottom:1px solid var(--line);padding-bottom:1.5rem}\n",
    ".kicker{margin:0;color:var(--soft);font-size:.85rem;letter-spacing:.04em}\n",
    "h1{margin:.2rem 0 .6rem;font-size:2.1rem;line-height:1.2;letter-spacing:-.015em;",
    "overflow-wrap:anywhere}\n",
    "h2{margin:4rem 0 1rem;font-size:1.45rem;line-height:1.3;letter-spacing:-.01em}\n",
    "h2 a{color:inherit;text-decoration:none}\n",
    "h3{margin:2.2rem 0 .5rem;font-size:1.05rem}\n",
    "p,ul,ol,dl{margin:0 0 1rem}\n",
    "p,li,dd{hyphens:manual;text-wrap:pretty}\n",
    "ul{padding-left:1.2rem}li{margin:.25rem 0}\n",
    "a{color:var(--link)}\n",
    "a.term{color:inherit;text-decoration:underline dotted "
    "var(--soft);text-underline-offset:.2em}\n",
    "a.term:hover{text-decoration-style:solid}\n",
    ".lede{font-size:1.1rem}.soft,.more{color:var(--soft)}.more{font-size:.9rem}\n",
    "nav{margin:1rem 0 0;font-size:.9rem;line-height:2}\n",
    "nav a{margin-right:1.1rem;text-decoration:none;white-space:nowrap}\n",
    "nav a:hover{text-decoration:underline}\n",
    "data{font-variant-numeric:tabular-nums;white-space:nowrap}\n",
    ".name{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;",
    "font-size:.88em;overflow-wrap:anywhere}\n",
    "td{max-width:22rem}.word{white-space:nowrap}\n",
    "td:not(.num),td .name{overflow-wrap:break-word}\n",
    ".short{margin:2rem 0 0;padding:1.2rem 1.5rem "
    "1.2rem;background:var(--tint);border-radius:8px}\n",
    ".short h2{margin:0 0 .5rem;font-size:1.1rem;letter-spacing:0}\n",
    ".short ul{margin:0}\n",
    ".tiles{display:flex;flex-wrap:wrap;gap:1px;",
    "margin:0 0 1.5rem;background:var(--line);border:1px solid var(--line);border-radius:8px;",
    "overflow:hidden}\n",
    ".tiles div{flex:1 1 150px;padding:.9rem 1.1rem;background:var(--paper)}\n",
    ".tiles dt{color:var(--soft);font-size:.82rem}\n",
    ".tiles dd{margin:0;font-size:1.5rem;line-height:1.3;font-weight:600}\n",
    ".tiles small{display:block;color:var(--soft);font-size:.82rem;line-height:1.4;",
    "font-weight:400}\n",
    "figure{margin:2rem 0;break-inside:avoid}\n",
    ".card{padding:.75rem;border:1px solid var(--line);border-radius:8px;text-align:center}\n",
    ".card svg{display:block;max-width:100%;height:auto;margin:0 auto}\n",
    "figcaption{margin:.7rem .2rem 0;color:var(--soft);font-size:.9rem;line-height:1.5}\n",
    "figcaption b{color:var(--ink);font-weight:600}\n",
    ".wide{overflow-x:auto;margin:1.5rem 0 1rem}\n",
    "table{border-collapse:collapse;width:100%;font-size:.9rem;line-height:1.4;",
    "font-variant-numeric:tabular-nums lining-nums}\n",
    "caption{padding:0 0 .6rem;text-align:left;color:var(--soft)}\n",
    "th{padding:.35rem .5rem;border-bottom:1.5px solid var(--ink);text-align:left;",
    "vertical-align:bottom;font-weight:600}\n",
    "td{padding:.35rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}\n",
    "th:first-child,td:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}\n",
    ".num{text-align:right;white-space:nowrap}th.num{white-space:normal}\n",
    "th button{all:unset;cursor:pointer;font:inherit}\n",
    "th button:hover{color:var(--link)}\n",
    "th button:focus-visible{outline:2px solid var(--link);outline-offset:2px}\n",
    "th[aria-sort=ascending] button::after{content:' \\2191'}\n",
    "th[aria-sort=descending] button::after{content:' \\2193'}\n",
    ".verdicts{padding:0;list-style:none}\n",
    ".verdicts li{padding:.7rem 0;border-bottom:1px solid var(--line)}\n",
    ".verdicts li:first-child{border-top:1px solid var(--line)}\n",
    ".kind{display:block;color:var(--soft);font-size:.9rem}\n",
    ".finding{margin:0 0 1.5rem;padding:.1rem 0 .1rem 1.1rem;border-left:3px solid var(--soft);",
    "break-inside:avoid}\n",
    ".finding.severe{border-color:var(--bad)}.finding.warning{border-color:var(--warn)}\n",
    ".finding h4{margin:0 0 .2rem;font-size:1rem}\n",
    ".finding p{margin:0 0 .4rem}.finding ul{margin:0}\n",
    "h4{margin:1.2rem 0 .4rem;font-size:.95rem}\n",
    ".badge{margin-right:.5rem;font-size:.78rem;font-weight:600;color:var(--soft)}\n",
    ".severe .badge{color:var(--bad)}.warning .badge{color:var(--warn)}\n",
    ".caution{padding:.9rem 1.2rem;border:1px solid var(--warn);border-radius:8px}\n",
    "pre,code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',",
    "monospace}\n",
    "code{font-size:.88em;overflow-wrap:anywhere}\n",
    "pre{margin:0 0 1.2rem;padding:.9rem 1.1rem;background:var(--tint);border-radius:8px;",
    "font-size:.82rem;line-height:1.55;overflow-x:auto}\n",
    "pre code{font-size:inherit}\n",
    ".glossary dt{margin-top:.8rem;font-weight:600;scroll-margin-top:1rem}\n",
    ".glossary dd{margin:0}\n",
    ":target{background:var(--tint)}section:target,h2:target{background:none}\n",
    "footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);",
    "color:var(--soft);font-size:.85rem}\n",
    "@media (max-width:600px){body{padding:1.5rem 1rem 3rem;font-size:16px}h1{font-size:1.7rem}}\n",
    "@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--tint:#f4f4f4;",
    "--link:#000;--good:#000;--warn:#6a4300;--bad:#8a0f08;color-scheme:light}\n",
    "@page{margin:18mm 16mm}body{max-width:none;padding:0;font-size:10.5pt;line-height:1.45}\n",
    "nav{display:none}.card svg{filter:none}.card{border:0;padding:0}a{text-decoration:none}\n",
    "h2{margin-top:2rem}h2,h3,h4,caption,thead{break-after:avoid}tr,li,.short{break-inside:avoid}"
    "\n",
    "pre{white-space:pre-wrap;overflow-wrap:anywhere}.wide{overflow:visible}\n",
    "table{font-size:9pt}th,td{padding:.2rem .4rem}section{orphans:3;widows:3}}\n",
};

/* Numbers by their exact value, text by its letters; a second click turns the order around. */
static const char *const script[] = {
    "document.querySelectorAll('table').forEach(function(table){\n",
    "  var heads=table.tHead.rows[0].cells,body=table.tBodies[0];\n",
    "  if(body.rows.length<2)return;\n",
    "  function key(row,i){var c=row.cells[i],v=c.dataset.value;\n",
    "    return v===undefined?c.textContent:v==='inf'?Infinity:v==='-inf'?-Infinity:+v}\n",
    "  function compare(a,b){\n",
    "    if(typeof a==='string')return a<b?-1:a>b?1:0;\n",
    "    if(isNaN(a)||isNaN(b))return isNaN(a)-isNaN(b);\n",
    "    return a<b?-1:a>b?1:0}\n",
    "  Array.prototype.forEach.call(heads,function(head,i){\n",
    "    var button=document.createElement('button');\n",
    "    button.type='button';button.title='sort';\n",
    "    while(head.firstChild)button.appendChild(head.firstChild);\n",
    "    head.appendChild(button);\n",
    "    button.addEventListener('click',function(event){\n",
    "      if(event.target.closest('a'))return;\n",
    "      var number=head.classList.contains('num'),was=head.getAttribute('aria-sort');\n",
    "      var down=was?was==='ascending':number;\n",
    "      Array.prototype.forEach.call(heads,function(h){h.removeAttribute('aria-sort')});\n",
    "      head.setAttribute('aria-sort',down?'descending':'ascending');\n",
    "      Array.prototype.slice.call(body.rows).map(function(row,at){\n",
    "        return{row:row,key:key(row,i),at:at}}).sort(function(a,b){\n",
    "        var order=compare(a.key,b.key),known=!(a.key!==a.key||b.key!==b.key);\n",
    "        return(down&&known?-order:order)||a.at-b.at}).forEach(function(one){\n",
    "        body.appendChild(one.row)})})})});\n",
};

static void put_lines(FILE *f, const char *const *lines, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        fputs(lines[i], f);
}

void report_put_style(FILE *f)
{
    fputs("<style>\n", f);
    put_lines(f, style, GTR_ARRAY_LEN(style));
    fputs("</style>\n", f);
}

void report_put_script(FILE *f)
{
    fputs("<script>\n", f);
    put_lines(f, script, GTR_ARRAY_LEN(script));
    fputs("</script>\n", f);
}
