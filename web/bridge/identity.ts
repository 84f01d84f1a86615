/** The device's key: made here, never shown to anybody, not even to this page. */
import { KINDS, THINGS } from "../shared/device-wire";
import { identity, setIdentity, type Identity } from "./keep";

export const canSign = (): boolean => window.isSecureContext && typeof indexedDB !== "undefined";

/** The identity; made now if there is none. Throws where the browser has no Ed25519. */
export async function own(): Promise<Identity> {
  const kept = await identity();
  if (kept !== undefined) return kept;
  const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  const made: Identity = { pair, device: null, counter: 0 };
  await setIdentity(made);
  return made;
}

export async function publicKey({ pair }: Identity): Promise<string> {
  return base64url(await crypto.subtle.exportKey("raw", pair.publicKey));
}

/** A signature over lines that begin with their purpose, as the city checks it. */
export async function sign({ pair }: Identity, purpose: string, ...parts: readonly string[]): Promise<string> {
  const text = new TextEncoder().encode([`diemcau/${purpose}/1`, ...parts].join("\n"));
  return base64url(await crypto.subtle.sign("Ed25519", pair.privateKey, text));
}

/** The four words of the key, to be compared with those that staff see. */
export async function words(it: Identity): Promise<readonly string[]> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await crypto.subtle.exportKey("raw", it.pair.publicKey)));
  return wordsOf(hash);
}

export function wordsOf(hash: Uint8Array): readonly string[] {
  let bits = 0n;
  for (const byte of hash.slice(0, 5)) bits = (bits << 8n) | BigInt(byte);
  return [30n, 20n, 10n, 0n].map((place) => {
    const number = Number((bits >> place) & 1023n);
    return `${THINGS[number >> 5] ?? ""} ${KINDS[number & 31] ?? ""}`;
  });
}

export function base64url(bytes: ArrayBuffer): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function random(bytes: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)).buffer);
}
