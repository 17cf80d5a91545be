// An independent client: tus-js-client in Node. Sends a file, breaks off after the first part, and goes on from there.
//     node tus_client.mjs ENDPOINT TOKEN FILE COLLECTION
import { createReadStream, statSync } from "node:fs";
import { basename } from "node:path";
import { Upload } from "tus-js-client";

const [endpoint, token, file, collection] = process.argv.slice(2);
const options = {
  endpoint,
  uploadSize: statSync(file).size,
  chunkSize: 256 * 1024,
  retryDelays: [0, 500, 1000],
  headers: { Authorization: `Token ${token}` },
  metadata: { filename: basename(file), collection },
};

function sent(more, stopAfter = Infinity) {
  return new Promise((resolve, reject) => {
    const upload = new Upload(createReadStream(file), {
      ...options,
      ...more,
      onError: reject,
      onSuccess: () => resolve(upload.url),
      onChunkComplete: async (_size, accepted) => {
        if (accepted < stopAfter) return;
        await upload.abort();
        resolve(upload.url);
      },
    });
    upload.start();
  });
}

const url = await sent({}, 1);
console.log("BROKEN OFF", url);
console.log("WHOLE", await sent({ uploadUrl: url }));
