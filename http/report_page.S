/* report_page.S: the document of `status_page`, as it lies in report_page.html. Data alone. */
    .section .rodata
    .globl http_report_page
http_report_page:
    .incbin HTTP_REPORT_PAGE
    .byte 0
    .section .note.GNU-stack, "", %progbits
