import type { viPeople } from "./vi-people";

export const enPeople: Readonly<Record<keyof typeof viPeople, string>> = {
  "nav.people": "Access",
  "people.sub": "Who may do what with the devices. Changes hold at once and are in the audit.",
  "people.search": "Name, account",
  "people.name": "Name",
  "people.account": "Account",
  "people.role": "Role",
  "people.districts": "Districts",
  "people.nothing": "No access",
  "people.nowhere": "No district yet",
  "people.everywhere": "The whole city",
  "people.none": "No account matches.",
  "people.saved": "The access of {name} is saved.",
  "people.nothing.text": "This account cannot open the pages of the devices.",
  "people.viewer.text": "Looks, and gives no commands.",
  "people.technician.text": "Enrols, edits, commands and handles incidents in the districts given.",
  "people.administrator.text": "May do everything everywhere, giving access too.",
  "people.districts.technician": "Only where chosen.",
  "people.districts.viewer": "None chosen: the whole city is seen.",
  "refused.unknown-account": "There is no such account.",
  "refused.last-administrator": "At least one administrator must remain.",
};
