// The smallest WHIP and WHEP clients that a browser needs, and something to send: a colour and a tone.
// Run in pages of Chromium and Firefox by the interop tests.

const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

async function painted(rgb) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const pen = canvas.getContext("2d");
  let n = 0;
  setInterval(() => {
    pen.fillStyle = `rgb(${rgb})`;
    pen.fillRect(0, 0, 640, 360);
    pen.fillStyle = "black";
    pen.fillRect((n++ * 8) % 600, 0, 8, 8);
  }, 66);
  const voice = await navigator.mediaDevices.getUserMedia({ audio: PLAIN });
  return new MediaStream([...canvas.captureStream(15).getVideoTracks(), ...voice.getAudioTracks()]);
}

async function camera() {
  return navigator.mediaDevices.getUserMedia({ audio: PLAIN, video: { width: 640, height: 360 } });
}

async function exchange(pc, url, token) {
  await pc.setLocalDescription();
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` },
    body: pc.localDescription.sdp,
  });
  if (response.status !== 201) throw new Error(`refused: ${response.status} ${await response.text()}`);
  const answer = await response.text();
  await pc.setRemoteDescription({ type: "answer", sdp: answer });
  const session = new URL(response.headers.get("location"), url);
  window.begun = { pc, session, token, answer, etag: response.headers.get("etag") };
  return async () => {
    const headers = { Authorization: `Bearer ${token}` };
    return (await fetch(session, { method: "DELETE", headers })).status;
  };
}

async function publish(url, token, stream, codec) {
  const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const track of stream.getTracks()) {
    const sends = pc.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    if (track.kind === "video" && codec) sends.setCodecPreferences(codecs(codec));
  }
  window.hangUp = await exchange(pc, url, token);
  await connected(pc);
}

async function watch(url, token) {
  const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const kind of ["audio", "video"]) pc.addTransceiver(kind, { direction: "recvonly" });
  show(pc);
  window.hangUp = await exchange(pc, url, token);
  await connected(pc);
}

async function restartIce() {
  const { pc, session, token, answer, etag } = window.begun;
  const { sdp } = await pc.createOffer({ iceRestart: true });
  await pc.setLocalDescription({ type: "offer", sdp });
  const first = (pattern, text) => text.match(pattern)[0];
  const lines = [/a=ice-ufrag:.*/, /a=ice-pwd:.*/, /m=.*/, /a=mid:.*/].map((pattern) => first(pattern, sdp));
  const response = await fetch(session, {
    method: "PATCH",
    headers: {
      "Content-Type": "application/trickle-ice-sdpfrag",
      "If-Match": "*",
      Authorization: `Bearer ${token}`,
    },
    body: `${lines.join("\r\n")}\r\n`,
  });
  if (response.status !== 200) throw new Error(`refused: ${response.status} ${await response.text()}`);
  const told = await response.text();
  const renewed = [/a=ice-ufrag:.*/g, /a=ice-pwd:.*/g].reduce(
    (text, pattern) => text.replace(pattern, first(new RegExp(pattern.source), told)),
    answer,
  );
  await pc.setRemoteDescription({ type: "answer", sdp: renewed });
  return response.headers.get("etag") !== etag;
}

function codecs(name) {
  const known = RTCRtpSender.getCapabilities("video").codecs;
  return known.filter((codec) => codec.mimeType.toLowerCase() === `video/${name.toLowerCase()}`);
}

function show(pc) {
  window.peer = pc;
  pc.ontrack = ({ track }) => {
    const player = document.createElement(track.kind);
    player.autoplay = true;
    player.muted = track.kind === "video";
    player.dataset.slot = track.kind === "video" ? "main" : "voice";
    player.srcObject = new MediaStream([track]);
    document.body.append(player);
  };
}

async function connected(pc) {
  if (pc.connectionState === "connected") return;
  await new Promise((go, stop) => {
    pc.addEventListener("connectionstatechange", () => {
      if (pc.connectionState === "connected") go();
      if (pc.connectionState === "failed") stop(new Error("the connection failed"));
    });
  });
}
