/** Brings what is chosen in a row that scrolls into sight. */
export const nearby = (isChosen: boolean) => (element: Element) => {
  if (isChosen) element.scrollIntoView({ block: 'nearest', inline: 'center' });
};
