/** A step of the ladder as a small drawing: what is left of the picture, told by shape alone. */
import type { Step } from "./steps";

export function StepMark({ step, size = 18 }: { readonly step: Step; readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" class="step" data-step={step}>
      {drawing(step)}
    </svg>
  );
}

function drawing(step: Step) {
  switch (step) {
    case "full":
      return <rect x="2" y="4" width="16" height="12" rx="1.5" class="solid" />;
    case "half":
      return (
        <>
          <rect x="2" y="4" width="16" height="12" rx="1.5" />
          <path d="M2 16h16V5z" class="solid" />
        </>
      );
    case "quarter":
      return (
        <>
          <rect x="2" y="4" width="16" height="12" rx="1.5" />
          <rect x="2" y="10" width="8" height="6" class="solid" />
        </>
      );
    case "fewer-frames":
      return (
        <>
          <rect x="2" y="4" width="3.4" height="12" class="solid" />
          <rect x="8.3" y="4" width="3.4" height="12" class="solid" />
          <rect x="14.6" y="4" width="3.4" height="12" class="solid" />
        </>
      );
    case "still":
      return (
        <>
          <rect x="2" y="4" width="16" height="12" rx="1.5" />
          <path d="M4 14.5l4-5 3 3.5 2-2 3 3.5z" class="solid" />
          <circle cx="13.5" cy="7.5" r="1.4" class="solid" />
        </>
      );
    case "audio-only":
      return (
        <>
          <path d="M3 8v4h3l4 3.5v-11L6 8z" class="solid" />
          <path d="M13 7.2a4 4 0 0 1 0 5.6M15.4 4.8a7.4 7.4 0 0 1 0 10.4" />
        </>
      );
  }
}
