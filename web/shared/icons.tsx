/** Small drawings, all on a 20×20 field in the colour of the text; always beside a word or with a title. */
import type { ComponentChildren } from "preact";

function Icon({ children, size = 20 }: { readonly children: ComponentChildren; readonly size?: number | undefined }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      class="icon"
    >
      {children}
    </svg>
  );
}

interface Size {
  readonly size?: number;
}

export const Hand = ({ size }: Size) => (
  <Icon size={size}>
    <path d="M6.5 10V4.2a1.2 1.2 0 0 1 2.4 0V9m0-.5V3a1.2 1.2 0 0 1 2.4 0v5.5m0-4a1.2 1.2 0 0 1 2.4 0V10m0-2.5a1.2 1.2 0 0 1 2.3 0V12c0 3.5-2 5.5-5 5.5-2.4 0-3.6-.9-4.8-2.8L4 11.3c-.5-.9.8-1.9 1.6-1.1l.9 1" />
  </Icon>
);

export const Microphone = ({ size, off = false }: Size & { readonly off?: boolean }) => (
  <Icon size={size}>
    <rect x="7.5" y="2.5" width="5" height="9" rx="2.5" />
    <path d="M4.5 9.5a5.5 5.5 0 0 0 11 0M10 15v2.5" />
    {off && <path d="M3 3l14 14" stroke-width="2.2" />}
  </Icon>
);

export const Camera = ({ size, off = false }: Size & { readonly off?: boolean }) => (
  <Icon size={size}>
    <rect x="2" y="5" width="11" height="10" rx="2" />
    <path d="M13 9l5-2.8v7.6L13 11z" />
    {off && <path d="M3 3l14 14" stroke-width="2.2" />}
  </Icon>
);

export const Screen = ({ size }: Size) => (
  <Icon size={size}>
    <rect x="2" y="3.5" width="16" height="10.5" rx="1.5" />
    <path d="M7 17h6M10 11V7m-2 1.6L10 6.5l2 2.1" />
  </Icon>
);

export const People = ({ size }: Size) => (
  <Icon size={size}>
    <circle cx="7.5" cy="7" r="2.8" />
    <path d="M2.5 16c0-3 2.2-4.7 5-4.7s5 1.7 5 4.7M13 4.6a2.6 2.6 0 0 1 0 4.9M14.6 11.8c1.8.6 2.9 2 2.9 4.2" />
  </Icon>
);

export const Lock = ({ size, open = false }: Size & { readonly open?: boolean }) => (
  <Icon size={size}>
    <rect x="4" y="9" width="12" height="8" rx="1.5" />
    <path d={open ? "M7 9V6a3 3 0 0 1 5.8-1" : "M7 9V6a3 3 0 0 1 6 0v3"} />
  </Icon>
);

export const Door = ({ size }: Size) => (
  <Icon size={size}>
    <path d="M11 3H4.5v14H11M8.5 10H17m-3-3l3 3-3 3" />
  </Icon>
);

export const Stop = ({ size }: Size) => (
  <Icon size={size}>
    <rect x="5" y="5" width="10" height="10" rx="1" fill="currentColor" />
  </Icon>
);

export const Next = ({ size }: Size) => (
  <Icon size={size}>
    <path d="M4 4.5v11L12 10zM15.5 4.5v11" />
  </Icon>
);

export const Chevron = ({ size }: Size) => (
  <Icon size={size}>
    <path d="M7.5 4l6 6-6 6" />
  </Icon>
);

export const Grid = ({ size }: Size) => (
  <Icon size={size}>
    <path d="M3 4h14v12H3zM3 8h14M3 12h14M7.7 4v12M12.3 4v12" />
  </Icon>
);

export const Undo = ({ size }: Size) => (
  <Icon size={size}>
    <path d="M7 4L3.5 7.5 7 11M4 7.5h8a4.5 4.5 0 0 1 0 9H8" />
  </Icon>
);

export const Search = ({ size }: Size) => (
  <Icon size={size}>
    <circle cx="8.5" cy="8.5" r="5.5" />
    <path d="M12.8 12.8L17 17" />
  </Icon>
);

export const More = ({ size }: Size) => (
  <Icon size={size}>
    <path d="M4 10h.01M10 10h.01M16 10h.01" stroke-width="3" />
  </Icon>
);

export const Cross = ({ size }: Size) => (
  <Icon size={size}>
    <path d="M5 5l10 10M15 5L5 15" />
  </Icon>
);

export const Keyboard = ({ size }: Size) => (
  <Icon size={size}>
    <rect x="1.5" y="5" width="17" height="10" rx="1.5" />
    <path d="M5 8.5h.01M8.3 8.5h.01M11.7 8.5h.01M15 8.5h.01M6.5 12h7" />
  </Icon>
);

export const House = ({ size }: Size) => (
  <Icon size={size}>
    <path d="M2.5 8L10 3l7.5 5zM4.5 8v7M8.2 8v7M11.8 8v7M15.5 8v7M2.5 16.5h15" />
  </Icon>
);

export const Loud = ({ size }: Size) => (
  <Icon size={size}>
    <path d="M3 7.5v5h3l4 3.5V4L6 7.5zM13 7a4 4 0 0 1 0 6M15.3 4.6a7.5 7.5 0 0 1 0 10.8" />
  </Icon>
);

/** Three bars: how many are filled is the shape, besides colour and word. */
export function Bars({ grade, size = 18 }: { readonly grade: "good" | "weak" | "bad" | "none"; readonly size?: number }) {
  const filled = { good: 3, weak: 2, bad: 1, none: 0 }[grade];
  return (
    <svg width={size} height={size} viewBox="0 0 18 18" aria-hidden="true" class={`bars ${grade}`}>
      {[0, 1, 2].map((i) => (
        <rect
          key={i}
          x={1.5 + i * 5.5}
          y={11 - i * 4.5}
          width="4"
          height={5.5 + i * 4.5}
          rx="1"
          fill={i < filled ? "currentColor" : "none"}
          stroke="currentColor"
          stroke-width="1.3"
        />
      ))}
    </svg>
  );
}
