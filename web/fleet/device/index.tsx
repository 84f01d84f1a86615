import { PageHead } from "../ui";

export function DevicePage({ id }: { readonly id: string }) {
  return <PageHead title={id} />;
}
