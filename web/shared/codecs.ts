/** The codecs a picture is offered in. */

const LIKED = ["video/vp8", "video/h264", "video/rtx"]; // in the order of our liking
const PLAIN = /packetization-mode=1.*profile-level-id=42e0/i; // what every encoder and decoder knows

/** All of those that are liked; with `plain`, of H.264 only its baseline: 25 sections must fit into one offer. */
export function chooseCodecs(transceiver: RTCRtpTransceiver, plain = false): RTCRtpTransceiver {
  const known = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  const liked = LIKED.flatMap((type) =>
    known.filter(({ mimeType, sdpFmtpLine }) => {
      if (mimeType.toLowerCase() !== type) return false;
      return !plain || type !== "video/h264" || PLAIN.test(sdpFmtpLine ?? "");
    }),
  );
  if (liked.length > 0 && "setCodecPreferences" in transceiver) transceiver.setCodecPreferences(liked);
  return transceiver;
}
