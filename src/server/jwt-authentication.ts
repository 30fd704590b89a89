import { createPublicKey, type KeyObject } from "node:crypto";
import { AgnoChatError } from "../errors.js";
import { validateUserId } from "../ids.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { type AccessOptions, isLoopback } from "./access.js";
import { bearerOf } from "./bearer.js";
import { JwtVerifier } from "./jwt-verifier.js";

/**
 * The kind of key of each algorithm. All have a public key: with a shared secret, whoever checks a
 * token could also make one.
 */
const KEY_OF = {
  RS256: "rsa",
  RS384: "rsa",
  RS512: "rsa",
  PS256: "rsa",
  PS384: "rsa",
  PS512: "rsa",
  ES256: "prime256v1",
  ES384: "secp384r1",
  ES512: "secp521r1",
  EdDSA: "ed25519",
  Ed25519: "ed25519",
} as const;

/** How a token may be signed. */
export type JwtAlgorithm = keyof typeof KEY_OF;

const DEFAULT_ALGORITHMS: readonly JwtAlgorithm[] = ["RS256", "ES256", "EdDSA"];

/** Fewer are no longer safe, and refused. */
const LEAST_RSA_BITS = 2048;

/** Which JSON Web Tokens let somebody in. */
export interface JwtOptions {
  /** The `iss` of a token, letter by letter, such as `https://login.example/`. */
  readonly issuer: string;
  /** What the `aud` of a token is or contains: the name of this server at the issuer. */
  readonly audience: string;
  /**
   * The claim that is the user id. Choose one that never changes and that no user can choose.
   * Default: `sub`.
   */
  readonly userClaim?: string;
  /**
   * Where the issuer publishes its keys: an https URL, or http on this machine. They are read with
   * the first token, again after 10 minutes, and for a key that is not among them at most every 30
   * seconds.
   */
  readonly jwksUrl?: string;
  /** The only public key, as PEM or a `KeyObject`. Instead of `jwksUrl`. */
  readonly key?: string | KeyObject;
  /** Default: RS256, ES256 and EdDSA. */
  readonly algorithms?: readonly JwtAlgorithm[];
}

const JWT_KEYS: KnownKeys<JwtOptions> = {
  issuer: true,
  audience: true,
  userClaim: true,
  jwksUrl: true,
  key: true,
  algorithms: true,
};

/**
 * Makes an `authenticate` for `createServer` that lets in who sends a valid JSON Web Token as
 * `Authorization: Bearer …`. It must be signed by a key of the issuer, for this audience, and have
 * an expiry that has not passed; clocks may differ by 5 seconds. Its user is what the claim says.
 * Anything else gets 401, or 503 (`AUTH_UNAVAILABLE`) if the keys of the issuer cannot be read.
 * @throws {AgnoChatError} `USAGE` for options that are missing, invalid or contradict each other
 * @example
 * import { generateKeyPairSync } from "node:crypto";
 *
 * const { publicKey } = generateKeyPairSync("ed25519"); // or jwksUrl: that of your issuer
 * const chat = createServer({
 *   agent: new Agent({ model: new DemoModel() }),
 *   authenticate: jwtAuthentication({
 *     issuer: "https://login.example/",
 *     audience: "chat",
 *     key: publicKey,
 *   }),
 * });
 * const headers = { authorization: "Bearer made.by.somebody" };
 * const response = await chat.fetch(new Request("http://localhost/size", { headers }));
 * console.log(response.status); // 401
 */
export function jwtAuthentication(options: JwtOptions): NonNullable<AccessOptions["authenticate"]> {
  refuseUnknownKeys(options, JWT_KEYS, "jwtAuthentication");
  const { userClaim = "sub" } = options;
  requireText("userClaim", userClaim);
  const verifier = new JwtVerifier(rulesOf(options));
  return async (head) => {
    const token = bearerOf(head);
    const claims = token === undefined ? undefined : await verifier.claimsOf(token);
    return claims !== undefined && Object.hasOwn(claims, userClaim)
      ? userOf(claims[userClaim])
      : null;
  };
}

/** A claim is used as it is or refused, so that two of them are never one user. */
function userOf(claim: unknown): { userId: string } | null {
  try {
    return claim === "" ? null : { userId: validateUserId(claim) };
  } catch {
    return null;
  }
}

function rulesOf({ issuer, audience, jwksUrl, key, algorithms }: JwtOptions) {
  requireText("issuer", issuer);
  requireText("audience", audience);
  const known = algorithmsOf(algorithms);
  if ((jwksUrl === undefined) === (key === undefined))
    throw usage("jwtAuthentication takes either jwksUrl or key.", "Give it one of them.");
  const keys = key === undefined ? urlOf(jwksUrl) : keyFor(known, key);
  return { issuer, audience, algorithms: known, keys };
}

/** Without the check, a plain JavaScript program that forgets one would let in any. */
function requireText(option: string, value: unknown): void {
  if (typeof value !== "string" || value === "")
    throw usage(`The ${option} of jwtAuthentication is not a text, or empty.`, `Give ${option}.`);
}

function algorithmsOf(algorithms: unknown = DEFAULT_ALGORITHMS): readonly JwtAlgorithm[] {
  const names = Array.isArray(algorithms) ? [...algorithms] : [];
  if (names.length > 0 && names.every(isAlgorithm)) return names;
  throw usage(
    "The algorithms of jwtAuthentication are not a list of those it knows.",
    `It knows ${Object.keys(KEY_OF).join(", ")}.`,
  );
}

const isAlgorithm = (name: unknown): name is JwtAlgorithm =>
  typeof name === "string" && Object.hasOwn(KEY_OF, name);

/** Who can change the keys on their way can be anybody, hence https. */
function urlOf(jwksUrl: unknown): URL {
  const url = typeof jwksUrl === "string" && URL.canParse(jwksUrl) ? new URL(jwksUrl) : undefined;
  const isSafe =
    url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (url !== undefined && isSafe && url.username === "" && url.password === "") return url;
  throw usage(
    "The jwksUrl of jwtAuthentication is not an https URL without a password.",
    "Use one such as https://login.example/.well-known/jwks.json.",
  );
}

function keyFor(algorithms: readonly JwtAlgorithm[], key: string | KeyObject): KeyObject {
  const publicKey = publicKeyOf(key);
  const { asymmetricKeyType, asymmetricKeyDetails: { namedCurve, modulusLength } = {} } = publicKey;
  const kind = namedCurve ?? asymmetricKeyType;
  if (kind === "rsa" && (modulusLength ?? 0) < LEAST_RSA_BITS)
    throw usage("The key of jwtAuthentication is too short.", `Use ${LEAST_RSA_BITS} bits.`);
  if (algorithms.some((name) => KEY_OF[name] === kind)) return publicKey;
  throw usage(
    `The key of jwtAuthentication does not fit ${algorithms.join(", ")}.`,
    "Name the algorithm that it signs with.",
  );
}

/** The error of Node may quote the key. */
function publicKeyOf(key: string | KeyObject): KeyObject {
  try {
    return typeof key === "string" || key.type === "private" ? createPublicKey(key) : key;
  } catch {
    throw usage("The key of jwtAuthentication is not a public key.", "Give it as PEM.");
  }
}

const usage = (message: string, hint: string) => new AgnoChatError("USAGE", message, { hint });
