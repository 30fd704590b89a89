/** A response whose status is not 2xx, with its body. */
export class HttpFailure extends Error {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;

  constructor(status: number, headers: Headers, body: string) {
    super(`HTTP ${status}`);
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** The proxy could not be reached or refused to connect. `host` is the proxy's. */
export class ProxyFailure extends Error {
  readonly host: string;

  constructor(host: string, cause: unknown) {
    super(`proxy ${host}`, { cause });
    this.host = host;
  }
}

/** A kept connection turned out to be closed before any part of an answer arrived. */
export class StaleConnection extends Error {}
