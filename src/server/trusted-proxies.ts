import { BlockList, isIP } from "node:net";
import { AgnoChatError } from "../errors.js";
import type { RequestHead } from "./request-context.js";

/** The only proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted. */
export class TrustedProxies {
  readonly #list = new BlockList();
  /** Most servers have no proxy in front, and looking for one takes a few percent of a request. */
  readonly #isEmpty: boolean;

  /**
   * @param addresses IP addresses, or networks such as `10.0.0.0/8`.
   * @throws {AgnoChatError} `USAGE` for anything else
   */
  constructor(addresses: readonly string[]) {
    this.#isEmpty = addresses.length === 0;
    for (const address of addresses) {
      const [ip = "", prefix] = address.split("/");
      const version = isIP(ip);
      const longest = version === 6 ? 128 : 32;
      const bits = prefix === undefined ? longest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
      if (version === 0 || bits < 0 || bits > longest) throw invalidProxy(address);
      this.#list.addSubnet(ip, bits, version === 6 ? "ipv6" : "ipv4");
    }
  }

  /**
   * The client's address: the nearest that is not a trusted proxy's. As in a `RequestHead`, and
   * `unknown` if a proxy sent an invalid one.
   */
  clientOf({ headers, address }: RequestHead): string {
    let client = plain(address);
    if (this.#isEmpty) return client;
    const hops = String(headers["x-forwarded-for"] ?? "").split(",");
    while (this.#trusts(client)) {
      const hop = hops.pop()?.trim();
      if (!hop) break;
      client = addressIn(hop);
    }
    return client;
  }

  protocolOf({ headers, address, protocol }: RequestHead): "http" | "https" {
    const protocols = String(headers["x-forwarded-proto"] ?? "").split(",");
    // The nearest proxy wrote the last value.
    const claimed = protocols.at(-1)?.trim().toLowerCase();
    const isClaim = claimed === "http" || claimed === "https";
    return isClaim && this.#trusts(plain(address)) ? claimed : protocol;
  }

  #trusts(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#list.check(address, version === 6 ? "ipv6" : "ipv4");
  }
}

/** An IPv4 address without the prefix that maps it to IPv6. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

/** Some proxies add the port. */
function addressIn(hop: string): string {
  const bare = plain(hop.replace(/^\[(.*)\](:\d+)?$/, "$1"));
  const address = isIP(bare) === 0 ? bare.replace(/:\d+$/, "") : bare;
  return isIP(address) === 0 ? "unknown" : address;
}

const invalidProxy = (address: string): AgnoChatError =>
  new AgnoChatError("USAGE", `${JSON.stringify(address)} is not a proxy address.`, {
    hint: "Use IP addresses or networks, such as 10.0.0.0/8.",
  });
