/** Readable on a phone, by day and by night, with nothing fetched. */
export const STYLE = `
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}
h2{font-size:1.1rem;margin-top:2rem}
pre,code{font-family:ui-monospace,monospace;font-size:.85rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.75rem;border:1px solid #8888;border-radius:.4rem}
code{overflow-wrap:anywhere}
dt{font-weight:600;margin-top:.5rem}
dd{margin:0}
`;
