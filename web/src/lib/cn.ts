import { clsx, type ClassValue } from 'clsx';
import { twMerge } from 'tailwind-merge';

/** Classes as one string; of two that contradict each other the later one counts. */
export const cn = (...classes: ClassValue[]): string => twMerge(clsx(classes));
