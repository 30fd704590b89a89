import { AgnoChatError } from "../../../errors.js";

/** The parts of a PostgreSQL URL. Undefined ones come from the environment, as in `psql`. */
export interface DatabaseAddress {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly applicationName: string;
  readonly options: string | undefined;
  readonly channelBinding: boolean;
  /** Undefined: not encrypted. */
  readonly tls: TlsFiles | undefined;
}

/** Paths of PEM files: the authorities to trust instead of the system's; a certificate to show. */
export interface TlsFiles {
  readonly authorities: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/**
 * Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`. Over a network the connection is
 * encrypted and the server verified, unless `sslmode=disable` is written out.
 * @throws {AgnoChatError} `STORE_UNKNOWN`; it never quotes the URL, which may hold a password
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  const url = parse(text);
  const parameters = new Map(url.searchParams);
  const host = part(url.hostname.replace(/^\[(.*)\]$/, "$1")) ?? parameters.get("host");
  const database = part(url.pathname.slice(1));
  return {
    host,
    port: portOf(url.port === "" ? parameters.get("port") : url.port),
    user: part(url.username),
    password: part(url.password),
    database,
    applicationName: parameters.get("application_name") ?? "agno-chat",
    options: parameters.get("options"),
    channelBinding: parameters.get("channel_binding") === "require",
    tls: tlsOf(host, parameters),
  };
}

/** The name of the database in messages, without user and password. */
export function nameOf({ host, port, database }: DatabaseAddress): string {
  return `${JSON.stringify(database ?? "")} at ${hostOf(host)}${port === undefined ? "" : `:${port}`}`;
}

const hostOf = (host: string | undefined): string => host ?? process.env.PGHOST ?? "localhost";

const FORM = /^postgres(?:ql)?:\/\/(?:[^/?#]*@)?(?<place>[^/?#]*)/;

function parse(text: string): URL {
  const place = FORM.exec(text)?.groups?.place;
  if (place?.includes(",")) throw unreadable("it names several hosts", "Name one host.");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // An unescaped # ? / or @ in the password ends up in another part of the URL.
  const isCut = url?.hash !== "" || url.search.includes("@") || /[/@]/.test(url.pathname.slice(1));
  if (place === undefined || url === undefined || isCut)
    throw unreadable(
      "it is not postgres://USER:PASSWORD@HOST:PORT/DATABASE",
      "Percent-encode what is special in the password: / as %2F, # as %23, ? as %3F, @ as %40, % as %25.",
    );
  return url;
}

function part(text: string): string | undefined {
  if (text === "") return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable("a % in it begins no percent-encoding", "Write %25 for a %.");
  }
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw unreadable("its port is not a number from 1 to 65535", "Leave it out to use 5432.");
}

const VERIFIED: ReadonlySet<string | undefined> = new Set(["require", "verify-ca", "verify-full"]);
const OPTIONAL: ReadonlySet<string | undefined> = new Set([undefined, "allow", "prefer"]);

function tlsOf(
  host: string | undefined,
  parameters: ReadonlyMap<string, string>,
): TlsFiles | undefined {
  const mode = parameters.get("sslmode") ?? process.env.PGSSLMODE;
  const isPlain = mode === "disable" || (OPTIONAL.has(mode) && isOnThisMachine({ host }));
  if (isPlain) return undefined;
  if (!VERIFIED.has(mode) && !OPTIONAL.has(mode))
    throw unreadable(
      "its sslmode is none that verifies the server",
      "Use sslmode=verify-full, with sslrootcert=FILE for an authority of your own.",
    );
  const authorities = parameters.get("sslrootcert") ?? process.env.PGSSLROOTCERT;
  return {
    authorities: authorities === "system" ? undefined : authorities,
    certificate: parameters.get("sslcert") ?? process.env.PGSSLCERT,
    key: parameters.get("sslkey") ?? process.env.PGSSLKEY,
  };
}

/** Whether the connection stays on this machine. A path names a socket. */
export function isOnThisMachine(address: Pick<DatabaseAddress, "host">): boolean {
  const host = hostOf(address.host);
  if (host.startsWith("/") || host === "localhost" || host === "::1") return true;
  return /^127(\.\d{1,3}){3}$/.test(host);
}

const unreadable = (what: string, hint: string): AgnoChatError =>
  new AgnoChatError("STORE_UNKNOWN", `Cannot read the PostgreSQL URL: ${what}.`, {
    hint,
  });
