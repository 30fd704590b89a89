import { type Finding, ok, unsafe, warning } from "../../store-report.js";
import type { Facts, Peer } from "./inspect.js";
import { MIGRATIONS } from "./schema.js";
import { type DatabaseAddress, isOnThisMachine } from "./url.js";

/** The oldest major version that is tested. */
const OLDEST = 14;

/** The conditions of the schema's policies, as the server prints them. */
const POLICIES: readonly string[] = [
  "(user_id = current_setting('agno_chat.user_id'::text, true))",
  "(current_setting('agno_chat.list'::text, true) = 'users'::text)",
  "((current_setting('agno_chat.list'::text, true) = 'leases'::text) AND (expires_at < clock_timestamp()))",
  "(token_id = current_setting('agno_chat.token_id'::text, true))",
  "(current_setting('agno_chat.list'::text, true) = 'tokens'::text)",
  "(current_setting('agno_chat.list'::text, true) = 'limits'::text)",
  "((current_setting('agno_chat.list'::text, true) = 'spending'::text) AND (expires_at < clock_timestamp()))",
  "((current_setting('agno_chat.list'::text, true) = 'spending'::text) AND (day < (((clock_timestamp() AT TIME ZONE 'UTC'::text))::date - 1)))",
];

const NEW_DATABASE =
  "Let an administrator initialise a new database, and grant its use to a role of yours.";
const LEAST_RIGHTS =
  "Use a role that may only call the functions: an administrator grants it when initialising.";

/** Rates each fact: does it keep users apart and data safe? */
export const findingsOf = (facts: Facts, address: DatabaseAddress): readonly Finding[] => [
  rowSecurity(facts),
  tables(facts),
  functions(facts),
  owner(facts),
  login(facts),
  callers(facts),
  encryption(facts, address),
  durability(facts),
  server(facts),
  text(facts),
  isolation(facts),
  latency(facts),
];

function rowSecurity({ isBound }: Facts): Finding {
  const about = "row security";
  if (isBound) return ok(about, "applies to every call, as seen from inside a function");
  return unsafe(about, "applies to no call: a query without a condition would see every user", {
    hint: "Take SUPERUSER and BYPASSRLS from the owner of the schema agno_chat.",
  });
}

function tables({ tables: all }: Facts): Finding {
  const about = "tables";
  const ofUsers = all.filter(({ hasUsers }) => hasUsers);
  const open = ofUsers.filter(({ isEnabled, isForced }) => !isEnabled || !isForced);
  if (open.length > 0)
    return unsafe(about, `row security is not enabled and forced on ${namesOf(open)}`, {
      hint: "ALTER TABLE agno_chat.NAME ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    });
  const strange = ofUsers.filter(
    ({ policies }) => policies.length === 0 || !policies.every((each) => POLICIES.includes(each)),
  );
  if (strange.length > 0)
    return unsafe(about, `the policies of ${namesOf(strange)} are not those of agno-chat`, {
      hint: "Drop each policy that agno-chat did not create: DROP POLICY NAME ON TABLE",
    });
  return ok(about, `row security is enabled and forced on ${namesOf(ofUsers)}`);
}

function functions({ functions: { strangers } }: Facts): Finding {
  const about = "functions";
  if (strangers.length === 0) return ok(about, "run as the owner of the schema");
  return unsafe(about, `${strangers.join(", ")} would not run as the owner of the schema`, {
    hint: "ALTER FUNCTION … SECURITY DEFINER OWNER TO the owner of the schema agno_chat.",
  });
}

function owner({ owner: role }: Facts): Finding {
  const about = "owner";
  if (role.isSuperuser || role.bypassesRowSecurity)
    return unsafe(about, `row security does not apply to ${role.name}`, {
      hint: `ALTER ROLE ${role.name} NOSUPERUSER NOBYPASSRLS`,
    });
  if (!role.mayLogIn)
    return ok(about, `row security applies to ${role.name}, and nobody can log in as it`);
  return warning(about, `${role.name} can log in and switch row security off`, {
    hint: NEW_DATABASE,
  });
}

function login({ login: role, tables: all }: Facts): Finding {
  const about = "login";
  if (role.isSuperuser)
    return warning(about, `${role.name} is a superuser, who can read every table directly`, {
      hint: LEAST_RIGHTS,
    });
  if (role.isOwner)
    return warning(about, `${role.name} can act as the owner and switch row security off`, {
      hint: LEAST_RIGHTS,
    });
  const readable = all.filter(({ mayBeRead }) => mayBeRead);
  if (readable.length > 0)
    return warning(about, `${role.name} can read ${namesOf(readable)} directly, as any user`, {
      hint: `REVOKE ALL ON ALL TABLES IN SCHEMA agno_chat FROM ${role.name}`,
    });
  return ok(about, `${role.name} may call the functions, but reach no table`);
}

function callers({ callers: roles, isPublic, owner: { name } }: Facts): Finding {
  const about = "callers";
  if (isPublic)
    return unsafe(about, "every role of the server may call the functions, for any user", {
      hint: "REVOKE USAGE ON SCHEMA agno_chat FROM PUBLIC",
    });
  return ok(about, roles.length === 0 ? `${name} alone` : roles.join(", "));
}

/** The URL tells how this process connects, and the server how it is connected to. */
function encryption({ server: { peer }, hasPooler }: Facts, address: DatabaseAddress): Finding {
  const about = "encryption";
  const hasTls = address.tls !== undefined;
  if (!hasTls && !isOnThisMachine(address))
    return warning(about, "none: conversations travel as plain text", {
      hint: "Write sslmode=verify-full into the URL.",
    });
  if (hasPooler) return encryptionBehindPooler(peer, hasTls);
  if (!hasTls) return ok(about, "none, and nothing leaves this machine");
  if (peer.isEncrypted !== false) return ok(about, "TLS, and the server is verified");
  return warning(about, "TLS ends before the server, which is reached by something in plain text", {
    hint: "Connect to the server itself, or encrypt the way from what is between to the server.",
  });
}

/** Of the connection between the pooler and the server, the server knows alone. */
function encryptionBehindPooler(peer: Peer, hasTls: boolean): Finding {
  const about = "encryption";
  const own = hasTls
    ? "TLS to the pooler, which is verified"
    : "none to the pooler, on this machine";
  if (peer.isEncrypted) return ok(about, `${own}; TLS from the pooler to the server`);
  if (peer.isEncrypted === null)
    return ok(about, `${own}; the server does not tell of the way from the pooler`);
  if (peer.isOnItsMachine)
    return ok(about, `${own}; none from the pooler to the server, on one machine`);
  return warning(about, `${own}; none from the pooler to the server: plain text`, {
    hint: "Let the pooler connect with TLS; in pgbouncer: server_tls_sslmode = verify-full",
  });
}

function durability({ server: { synchronousCommit, fsync, isReadOnly } }: Facts): Finding {
  const about = "durability";
  if (isReadOnly)
    return warning(about, "this server is a standby, and stores nothing", {
      hint: "Name the primary server.",
    });
  if (fsync === "off")
    return warning(about, "fsync is off: a crash of the machine can damage everything", {
      hint: "Set fsync = on in postgresql.conf.",
    });
  if (synchronousCommit === "off")
    return warning(about, "synchronous_commit is off: a crash loses runs that were answered", {
      hint: "ALTER DATABASE NAME SET synchronous_commit = on",
    });
  return ok(about, "what was answered is on disk");
}

function server({
  server: { version, versionNumber },
  version: schema,
  hasPooler,
}: Facts): Finding {
  const about = "server";
  const pooler = hasPooler ? ", behind a pooler" : "";
  const what = `PostgreSQL ${version}${pooler}, schema ${schema} of ${MIGRATIONS.length}`;
  if (schema < MIGRATIONS.length)
    return warning(about, `${what}, which is too old to be used`, {
      hint: "Bring it up to date: agno-chat store migrate URL",
    });
  if (versionNumber >= OLDEST * 10_000) return ok(about, what);
  return warning(about, `${what}: versions before ${OLDEST} are not tested`, {
    hint: "Run the conformance tests of a store against it.",
  });
}

function text({ server: { encoding, collation } }: Facts): Finding {
  const about = "text";
  if (encoding === "UTF8")
    return ok(about, `UTF8; ids are compared byte by byte, whatever the collation ${collation}`);
  return unsafe(about, `${encoding} cannot hold every text`, {
    hint: "Create one: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0",
  });
}

function isolation({ server: { isolation: level } }: Facts): Finding {
  const own = level === "repeatable read" ? "; writes begin their own as read committed" : "";
  return ok("transactions", `${level}${own}`);
}

const latency = ({ medians: { trip, read } }: Facts): Finding =>
  ok("latency", `${trip} ms a round trip, ${read ?? "?"} ms a read (medians)`);

const namesOf = (all: readonly { readonly name: string }[]): string =>
  all.map(({ name }) => name).join(", ");
