import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import { AgnoChatError } from "../errors.js";

/** The proxies whose word counts: what anybody else says in X-Forwarded-For and X-Forwarded-Proto is not heard. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /**
   * @param addresses IP addresses, or networks such as `10.0.0.0/8`.
   * @throws {AgnoChatError} `USAGE` for anything else
   */
  constructor(addresses: readonly string[]) {
    for (const address of addresses) {
      const [ip = "", prefix] = address.split("/");
      const version = isIP(ip);
      const longest = version === 6 ? 128 : 32;
      const bits = prefix === undefined ? longest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
      if (version === 0 || bits < 0 || bits > longest) throw noAddress(address);
      this.#list.addSubnet(ip, bits, version === 6 ? "ipv6" : "ipv4");
    }
  }

  /** The address of who asks, the nearest that is no trusted proxy; `unknown` when such a proxy gave none. */
  clientOf({ headers, socket }: IncomingMessage): string | undefined {
    if (socket.remoteAddress === undefined) return undefined;
    const hops = String(headers["x-forwarded-for"] ?? "").split(",");
    let client = plain(socket.remoteAddress);
    while (this.#trusts(client)) {
      const hop = hops.pop()?.trim();
      if (!hop) break;
      client = addressIn(hop);
    }
    return client;
  }

  protocolOf({ headers, socket }: IncomingMessage): "http" | "https" {
    const told = String(headers["x-forwarded-proto"] ?? "").split(",");
    // What the proxy next to us wrote stands last.
    const protocol = told.at(-1)?.trim().toLowerCase();
    const isHeard = this.#trusts(plain(socket.remoteAddress ?? ""));
    if (isHeard && (protocol === "http" || protocol === "https")) return protocol;
    return (socket as Partial<TLSSocket>).encrypted ? "https" : "http";
  }

  #trusts(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#list.check(address, version === 6 ? "ipv6" : "ipv4");
  }
}

/** Without what makes IPv6 of an IPv4 address. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

/** Some proxies add the port. */
function addressIn(hop: string): string {
  const bare = plain(hop.replace(/^\[(.*)\](:\d+)?$/, "$1"));
  const address = isIP(bare) === 0 ? bare.replace(/:\d+$/, "") : bare;
  return isIP(address) === 0 ? "unknown" : address;
}

const noAddress = (address: string): AgnoChatError =>
  new AgnoChatError("USAGE", `${JSON.stringify(address)} is no address of a proxy.`, {
    hint: "Name IP addresses or networks, such as 10.0.0.0/8.",
  });
