/* config_printer.c: see config_printer.h. */
#include "config/config_printer.h"

/* What config_lex.c wants escaped in a string is. */
void printer_escaped(struct printer *printer, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\' || (text[0] == '$' && text[1] == '{'))
            putc('\\', printer->out);
        putc(*text, printer->out);
    }
}

void printer_name(struct printer *printer, const char *name)
{
    fprintf(printer->out, "%*s%s = ", 4 * printer->indent, "", name);
}

void printer_setting(struct printer *printer, const char *name, const char *text)
{
    printer_name(printer, name);
    putc('"', printer->out);
    printer_escaped(printer, text);
    fputs("\"\n", printer->out);
}

void printer_block(struct printer *printer, enum config_block_kind kind, const char *word,
                   const char *title)
{
    fprintf(printer->out, "%*s%s%s%s \"", 4 * printer->indent, "", config_block_type_at(kind)->name,
            word[0] != '\0' ? " " : "", word);
    printer_escaped(printer, title);
    fputs("\" {\n", printer->out);
    printer->indent++;
}

void printer_block_end(struct printer *printer)
{
    printer->indent--;
    fprintf(printer->out, "%*s}\n", 4 * printer->indent, "");
}

void printer_list_begin(struct printer *printer, const char *name)
{
    printer_name(printer, name);
    putc('{', printer->out);
    printer->items = 0;
}

/* One string, made of three. */
void printer_list_item(struct printer *printer, const char *first, const char *between,
                       const char *second)
{
    fputs(printer->items++ > 0 ? ", \"" : "\"", printer->out);
    printer_escaped(printer, first);
    printer_escaped(printer, between);
    printer_escaped(printer, second);
    putc('"', printer->out);
}

void printer_list_end(struct printer *printer)
{
    fputs("}\n", printer->out);
}

void printer_list(struct printer *printer, const char *name, char **texts, size_t count)
{
    printer_list_begin(printer, name);
    for (size_t i = 0; i < count; i++)
        printer_list_item(printer, texts[i], "", "");
    printer_list_end(printer);
}
