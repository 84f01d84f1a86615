/** The drawings of the navigation, on a 20×20 field. */
import type { ComponentChildren } from "preact";

function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg
      width="20"
      height="20"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const ICONS = {
  devices: (
    <Icon>
      <rect x="4.5" y="2.5" width="11" height="11" rx="1.5" />
      <path d="M10 13.5v4M6.5 17.5h7" />
    </Icon>
  ),
  map: (
    <Icon>
      <path d="M7.5 3h5v4h-5zM2.5 8.5h4v4h-4zM8 8.5h4v4H8zM13.5 8.5h4v4h-4zM5 14h4v3.5H5zM10.5 14h4v3.5h-4z" />
    </Icon>
  ),
  incidents: (
    <Icon>
      <path d="M10 3l7.5 13.5h-15zM10 8.5v3.5M10 14.3v.1" />
    </Icon>
  ),
  commands: (
    <Icon>
      <path d="M3.5 5.5L8 10l-4.5 4.5M10 15h6.5" />
    </Icon>
  ),
  rollouts: (
    <Icon>
      <path d="M10 13V3m-3.5 3.5L10 3l3.5 3.5M3.5 12v4.5h13V12" />
    </Icon>
  ),
  enrol: (
    <Icon>
      <path d="M3 3h5v5H3zM12 3h5v5h-5zM3 12h5v5H3zM12 12h2v2h-2zM17 12v5h-5" />
    </Icon>
  ),
  audit: (
    <Icon>
      <path d="M5 2.5h7l3.5 3.5v11.5H5zM8 9h5M8 12h5M8 15h3" />
    </Icon>
  ),
  setup: (
    <Icon>
      <path d="M3 6h6M13 6h4M3 14h3M10 14h7" />
      <circle cx="11" cy="6" r="2" />
      <circle cx="8" cy="14" r="2" />
    </Icon>
  ),
  wall: (
    <Icon>
      <rect x="2" y="3.5" width="16" height="10.5" rx="1" />
      <path d="M6 17h8M5 11l3-3 2 2 4-4" />
    </Icon>
  ),
  out: (
    <Icon>
      <path d="M11 3H4.5v14H11M8.5 10H17m-3-3l3 3-3 3" />
    </Icon>
  ),
  sun: (
    <Icon>
      <circle cx="10" cy="10" r="3.4" />
      <path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4" />
    </Icon>
  ),
  moon: (
    <Icon>
      <path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z" />
    </Icon>
  ),
} as const;
