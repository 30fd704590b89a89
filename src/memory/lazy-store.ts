import type { UserId } from "../ids.js";
import type { StoredMessage } from "../messages.js";
import type { Awaitable, Deleted, DeletedUsers, Snapshot } from "./memory.js";
import type {
  At,
  Commit,
  CommitOutcome,
  CountsRow,
  IdleSince,
  InSession,
  Page,
  SessionRow,
  SessionRowWithState,
  Store,
  StoreAttachments,
  StoreEdits,
  StoreLeases,
  StoreLimits,
  StoreTokens,
  Sweep,
  UserCount,
  UserRow,
  Wanted,
  Window,
} from "./store.js";

type AsyncStore = Store<false> & {
  readonly search: NonNullable<Store<false>["search"]>;
  readonly counts: NonNullable<Store<false>["counts"]>;
  readonly sessionsById: NonNullable<Store<false>["sessionsById"]>;
  readonly edits: StoreEdits;
  readonly attachments: StoreAttachments;
  readonly limits: StoreLimits;
  readonly tokens: StoreTokens;
};

/**
 * A store whose code is loaded by its first call, so that importing the library loads no database
 * that nobody uses. The calls reach the store in their order.
 */
export class LazyStore<Loaded extends AsyncStore = AsyncStore> implements AsyncStore {
  readonly atOnce = false;
  readonly #load: () => Promise<Loaded>;
  #loaded: Promise<Loaded> | undefined;
  #store: Loaded | undefined;

  constructor(load: () => Promise<Loaded>) {
    this.#load = load;
  }

  read(userId: UserId, window: Window): Promise<Snapshot> {
    return this.call((store) => store.read(userId, window));
  }

  write(commit: Commit): Promise<CommitOutcome> {
    return this.call((store) => store.write(commit));
  }

  page(userId: UserId, page: Page & InSession): Promise<readonly StoredMessage[]> {
    return this.call((store) => store.page(userId, page));
  }

  search(userId: UserId, wanted: Wanted): Promise<readonly StoredMessage[]> {
    return this.call((store) => store.search(userId, wanted));
  }

  size(userId: UserId, scope: InSession): Promise<number> {
    return this.call((store) => store.size(userId, scope));
  }

  sessions(userId: UserId, list?: Pick<Page, "limit">): Promise<readonly SessionRow[]> {
    return this.call((store) => store.sessions(userId, list));
  }

  counts(userId: UserId, scope: InSession): Promise<CountsRow> {
    return this.call((store) => store.counts(userId, scope));
  }

  async *sessionsById(userId: UserId): AsyncGenerator<readonly SessionRowWithState[]> {
    yield* await this.call((store) => store.sessionsById(userId));
  }

  users(list?: Pick<Page, "limit">): Promise<readonly UserRow[]> {
    return this.call((store) => store.users(list));
  }

  countUsers(sweep: IdleSince): Promise<UserCount> {
    return this.call((store) => store.countUsers(sweep));
  }

  delete(userId: UserId, scope: InSession & At): Promise<Deleted> {
    return this.call((store) => store.delete(userId, scope));
  }

  deleteIdle(sweep: Sweep): Promise<DeletedUsers> {
    return this.call((store) => store.deleteIdle(sweep));
  }

  deleteAll(): Promise<DeletedUsers> {
    return this.call((store) => store.deleteAll());
  }

  readonly limits: StoreLimits = {
    admit: (userId, admission) => this.call(({ limits }) => limits.admit(userId, admission)),
    renew: (userId, run) => this.call(({ limits }) => limits.renew(userId, run)),
    settle: (userId, spent) => this.call(({ limits }) => limits.settle(userId, spent)),
    use: (userId, options) => this.call(({ limits }) => limits.use(userId, options)),
    list: () => this.call(({ limits }) => limits.list()),
    set: (userId, own) => this.call(({ limits }) => limits.set(userId, own)),
    remove: (userId) => this.call(({ limits }) => limits.remove(userId)),
  };

  readonly tokens: StoreTokens = {
    insert: (row) => this.call(({ tokens }) => tokens.insert(row)),
    find: (tokenId) => this.call(({ tokens }) => tokens.find(tokenId)),
    list: (userId) => this.call(({ tokens }) => tokens.list(userId)),
    noteUse: (tokenId, time) => this.call(({ tokens }) => tokens.noteUse(tokenId, time)),
    delete: (tokenId) => this.call(({ tokens }) => tokens.delete(tokenId)),
  };

  readonly edits: StoreEdits = {
    clearBefore: (userId, old) => this.call(({ edits }) => edits.clearBefore(userId, old)),
    undo: (userId, undo) => this.call(({ edits }) => edits.undo(userId, undo)),
    fork: (userId, fork) => this.call(({ edits }) => edits.fork(userId, fork)),
  };

  readonly attachments: StoreAttachments = {
    read: (userId, hashes) => this.call(({ attachments }) => attachments.read(userId, hashes)),
  };

  async close(): Promise<void> {
    const store = await this.#loaded;
    await store?.close();
  }

  protected async call<T>(work: (store: Loaded) => Awaitable<T>): Promise<T> {
    // The calls that wait for the store go on one right after the other, before any later one.
    this.#loaded ??= this.#load();
    this.#store ??= await this.#loaded;
    return await work(this.#store);
  }
}

type LeasedStore = AsyncStore & { readonly leases: StoreLeases };

/** The same for a store that several servers share. */
export class LazyLeasedStore extends LazyStore<LeasedStore> {
  readonly leases: StoreLeases = {
    take: (claim, options) => this.call(({ leases }) => leases.take(claim, options)),
    renew: (lease, time) => this.call(({ leases }) => leases.renew(lease, time)),
    release: (claim) => this.call(({ leases }) => leases.release(claim)),
  };
}
