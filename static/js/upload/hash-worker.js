// SHA-256 of files, one after the other and piece by piece: a file of any size takes a few megabytes of memory.

import { sha256 } from "../../vendor/noble-hashes/sha2.js";

const PIECE = 4 * 2 ** 20;
const WHOLE = 48 * 2 ** 20; // up to this size the browser's own, quicker hash reads the file at once

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function digest(file, told) {
  if (file.size <= WHOLE && self.crypto?.subtle) {
    return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())));
  }
  const hash = sha256.create();
  for (let at = 0; at < file.size; at += PIECE) {
    hash.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
    told(at / file.size);
  }
  return hex(hash.digest());
}

let queue = Promise.resolve();
self.onmessage = ({ data: { id, file } }) => {
  queue = queue.then(async () => {
    try {
      self.postMessage({ id, digest: await digest(file, (share) => self.postMessage({ id, share })) });
    } catch (error) {
      self.postMessage({ id, problem: `${error}` });
    }
  });
};
