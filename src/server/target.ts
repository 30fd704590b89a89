export interface Target {
  /** Host and port, where the target names them (RFC 9112, section 3.2.2). They count, and not the Host header. */
  readonly authority: string | undefined;
  /** Without a slash at its end. */
  readonly path: string;
  /** Empty, or from the question mark on. */
  readonly search: string;
}

/** What a request asks for: a path, or in absolute form a whole URL, as a proxy is sent it. */
export function targetOf(url = "/"): Target {
  const [, authority, rest = url] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [];
  const mark = rest.indexOf("?");
  const path = mark < 0 ? rest : rest.slice(0, mark);
  const search = mark < 0 ? "" : rest.slice(mark);
  return { authority, path: path.replace(/(.)\/$/, "$1") || "/", search };
}
