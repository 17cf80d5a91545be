// What the archive is asked about uploads, and what it answers.

const PIECE = 16 * 2 ** 20; // a part of an upload: what is lost at most when a connection breaks, and under any proxy's limit
const AT_ONCE = 2 ** 22; // a file up to this size goes with the request that announces it

export class ArchiveSide {
  constructor(element) {
    this.addresses = element.dataset; // check, use, states, action, tus
    this.form = element.querySelector("form");
  }

  // Signing in again in another tab changes the token: the cookie knows the newest.
  get token() {
    const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    return cookie ? cookie[1] : this.form.querySelector("[name=csrfmiddlewaretoken]").value;
  }

  get headers() {
    return { Accept: "application/json", "X-CSRFToken": this.token };
  }

  async check(collection, files) {
    const body = JSON.stringify({ collection, files });
    return this.ask(this.addresses.check, { method: "POST", body });
  }

  async use(fields) {
    return this.ask(this.addresses.use, { method: "POST", body: this.fields(fields) });
  }

  async decide(id, choice) {
    return this.ask(`${this.addresses.action}${id}/duplicate/`, { method: "POST", body: this.fields({ choice }) });
  }

  async states(batch) {
    const query = batch ? `?batch=${batch}` : "";
    return (await this.ask(this.addresses.states + query)).uploads;
  }

  async giveUp(id) {
    const headers = { ...this.headers, "Tus-Resumable": "1.0.0" };
    return fetch(`${this.addresses.tus}${id}/`, { method: "DELETE", headers });
  }

  fields(values) {
    const body = new FormData();
    for (const [name, value] of Object.entries(values)) body.append(name, value);
    return body;
  }

  async ask(url, options = {}) {
    const answer = await fetch(url, { ...options, headers: this.headers, redirect: "error" });
    const said = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.problem?.sentence ?? answer.status), { status: answer.status });
    return said;
  }

  // One file by tus. `key` makes asking twice harmless: the archive answers with the upload it began the first time.
  send(file, { metadata, url, progress, done, failed }) {
    const upload = new window.tus.Upload(file, {
      endpoint: this.addresses.tus,
      uploadUrl: url ?? null,
      metadata,
      chunkSize: PIECE,
      uploadDataDuringCreation: file.size <= AT_ONCE,
      storeFingerprintForResuming: false,
      retryDelays: [0, 1000, 3000, 5000],
      onBeforeRequest: (request) => request.setHeader("X-CSRFToken", this.token),
      onProgress: progress,
      onSuccess: () => done(upload.url),
      onError: (error) => failed(reasonOf(error), upload.url),
    });
    upload.start();
    return upload;
  }
}

// Why it stopped: `final` if trying again cannot help, with the archive's own sentence.
function reasonOf(error) {
  const status = error.originalResponse?.getStatus() ?? 0;
  let sentence = "";
  try {
    sentence = JSON.parse(error.originalResponse?.getBody() ?? "").detail ?? "";
  } catch {
    // No problem of the archive's: the connection, or something between.
  }
  const passing = status === 0 || status >= 500 || [401, 403, 408, 409, 423, 429, 460].includes(status);
  return { status, sentence, final: !passing || status === 507, signedOut: status === 401 || status === 403 };
}
