import type { KeyObject } from "node:crypto";
import type { JWTPayload, JWTVerifyGetKey } from "jose";
import { AgnoChatError } from "../errors.js";

export interface JwtRules {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** A public key, or where a set of them is. */
  readonly keys: KeyObject | URL;
}

/** Seconds by which the clock of the issuer may be ahead or behind. */
const CLOCK_TOLERANCE = 5;

/** Verifies JSON Web Tokens. The only file that uses `jose`, which is loaded with the first one. */
export class JwtVerifier {
  readonly #rules: JwtRules;
  #loading: ReturnType<typeof load> | undefined;
  #keys: JWTVerifyGetKey | undefined;

  constructor(rules: JwtRules) {
    this.#rules = rules;
  }

  /**
   * The claims of a token; undefined unless it is valid now.
   * @throws {AgnoChatError} rejects with `AUTH_UNAVAILABLE` when the keys cannot be read
   */
  async claimsOf(token: string): Promise<JWTPayload | undefined> {
    this.#loading ??= load();
    const jose = await this.#loading;
    this.#keys ??= keysOf(this.#rules.keys, jose);
    const { issuer, audience, algorithms } = this.#rules;
    try {
      const { payload } = await jose.jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance: CLOCK_TOLERANCE,
        requiredClaims: ["exp"],
      });
      return payload;
    } catch (thrown) {
      if (thrown instanceof jose.errors.JOSEError) return undefined;
      throw thrown;
    }
  }
}

type Jose = Awaited<ReturnType<typeof load>>;

async function load() {
  const [verify, local, remote, errors] = await Promise.all([
    import("jose/jwt/verify"),
    import("jose/jwks/local"),
    import("jose/jwks/remote"),
    import("jose/errors"),
  ]);
  return { ...verify, ...local, ...remote, errors };
}

/** Finds the key of a token, whose kind must fit the token's algorithm. */
function keysOf(keys: KeyObject | URL, jose: Jose): JWTVerifyGetKey {
  if (keys instanceof URL) return remoteKeys(keys, jose);
  const only = jose.createLocalJWKSet({ keys: [keys.export({ format: "jwk" })] });
  // A token may name its key, and a key alone has no name.
  return ({ alg }, token) => only({ alg }, token);
}

function remoteKeys(url: URL, jose: Jose): JWTVerifyGetKey {
  const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys } = jose.errors;
  const remote = jose.createRemoteJWKSet(url);
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (cause) {
      if (cause instanceof JWKSNoMatchingKey || cause instanceof JWKSMultipleMatchingKeys)
        throw cause;
      throw new AgnoChatError("AUTH_UNAVAILABLE", "The keys of the issuer cannot be read.", {
        hint: "Check jwksUrl and the server behind it.",
        cause,
      });
    }
  };
}
