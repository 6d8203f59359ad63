/* config_choices.h: the words that a key with choices takes, each list in the order of the enum
 * that it becomes, NULL behind the last. Constant. */
#ifndef CONFIG_CONFIG_CHOICES_H
#define CONFIG_CONFIG_CHOICES_H

extern const char *const config_log_levels[];
extern const char *const config_file_ios[];
extern const char *const config_symlink_rules[];
extern const char *const config_accept_modes[];
extern const char *const config_demultiplexers[];
extern const char *const config_processors[];
extern const char *const config_file_jobs[];
extern const char *const config_stop_signals[];
extern const char *const config_pool_works[];
extern const char *const config_offs[];
extern const char *const config_satisfactions[];
extern const char *const config_security_presets[];
extern const char *const config_etag_kinds[];
extern const char *const config_server_timings[];
extern const char *const config_if_modified_sinces[];
extern const char *const config_verifies[];
extern const char *const config_field_answers[];
extern const char *const config_real_ip_headers[];

#endif
