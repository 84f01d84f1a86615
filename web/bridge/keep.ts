/** What this device keeps over a reload: its key, its name, its counter, and what has not been delivered. IndexedDB keeps a
 * key without ever showing it. */
import type { Report } from "../shared/device-wire";

const NAME = "diemcau-bridge";
const IDENTITY = "identity";
const OUTBOX = "outbox";
const DONE = "done";

export interface Identity {
  readonly pair: CryptoKeyPair;
  /** Once it is enrolled. */
  readonly device: string | null;
  readonly counter: number;
}

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore(IDENTITY);
      asked.result.createObjectStore(OUTBOX, { keyPath: "key" });
      asked.result.createObjectStore(DONE);
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("no storage"));
  });
  return opened;
}

/** One transaction: what `act` asks for last is the answer once all of it is on the disk. */
async function within<T>(store: string, mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await open()).transaction(store, mode, { durability: "strict" });
  const asked = act(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onabort = () => reject(transaction.error ?? new Error("not stored"));
  });
}

export async function identity(): Promise<Identity | undefined> {
  return (await within(IDENTITY, "readonly", (store) => store.get("it"))) as Identity | undefined;
}

export async function setIdentity(it: Identity): Promise<void> {
  await within(IDENTITY, "readwrite", (store) => store.put(it, "it"));
}

/** Kept until the city says `stored`. */
export async function keepReport(report: Report): Promise<void> {
  await within(OUTBOX, "readwrite", (store) => store.put(report));
}

export async function reports(): Promise<readonly Report[]> {
  return (await within(OUTBOX, "readonly", (store) => store.getAll(null, 200))) as Report[];
}

export async function forgetReport(key: string): Promise<void> {
  await within(OUTBOX, "readwrite", (store) => store.delete(key));
}

/** Was this order taken up before? It is noted before it has any effect, so it has it once. */
export async function takeUp(command: string): Promise<boolean> {
  const before = (await within(DONE, "readonly", (store) => store.get(command))) as number | undefined;
  if (before !== undefined) return false;
  await within(DONE, "readwrite", (store) => store.put(Date.now(), command));
  return true;
}
