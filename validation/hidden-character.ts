/** A character that people cannot see, or that hides others: controls, direction marks, what has no width, half characters, and what no standard names. Lines and tabs may be. */
export const hiddenCharacter = /(?![\t\n\r])(?:[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}])/u;
